import { afterAll, beforeAll } from 'vitest'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { describeQueue } from './contract.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

/** To delete the few rows of a case is several times faster than to truncate the tables, or to make a database. */
async function emptyQueue({ sql }: TestDatabase): Promise<void> {
  const tables = await sql<{ name: string }[]>`
    select tablename as name from pg_tables where schemaname = 'public' and tablename like 'push\_%'`
  await sql.unsafe(tables.map(({ name }) => `delete from ${name}`).join(';'))
}

describeQueue('PostgreSQL', async (options) => {
  await emptyQueue(database)
  const queue = new PostgresQueue({ sql: database.queueSql, logger: makeTestLogger(), ...options })
  return { queue, close: () => queue.close() }
})
