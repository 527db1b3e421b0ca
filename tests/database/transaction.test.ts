import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openDatabase, type Sql, type Transaction } from '../../src/database/pool.ts'
import { runTransaction } from '../../src/database/transaction.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let database: TestDatabase
let sql: Sql

beforeEach(async () => {
  database = await createTestDatabase()
  sql = openDatabase({ dsn: database.dsn, maxConnections: 1 })
  await database.sql`create table kept (name text)`
})
afterEach(async () => {
  await sql.end({ timeout: 0 })
  await database.drop()
})

test('when its connection is lost a transaction fails as a whole, and the process and later transactions go on', async () => {
  // A rejection or an exception that nobody handles makes the whole run fail.
  const lost = runTransaction(sql, async (tx) => {
    await tx`insert into kept values ('lost')`
    await tx`select pg_sleep(60)`
  })
  const failure = expect(lost).rejects.toThrow()
  await vi.waitFor(async () => {
    const killed = await database.sql`
      select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid()`
    expect(killed).toHaveLength(1)
  })
  await failure
  // The library may fail the first one that comes with the same error.
  await vi.waitFor(() => runTransaction(sql, (tx) => tx`insert into kept values ('next')`))
  await expect(runTransaction(sql, refuse)).rejects.toThrow('refused')
  expect(await database.sql`select name from kept`).toEqual([{ name: 'next' }])
})

async function refuse(tx: Transaction): Promise<void> {
  await tx`insert into kept values ('refused')`
  throw new Error('refused')
}
