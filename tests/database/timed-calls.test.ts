import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type CallDeadline, isInTime } from '../../src/database/call-deadline.ts'
import { openDatabase, type Sql, type Transaction } from '../../src/database/pool.ts'
import { TimedCalls } from '../../src/database/timed-calls.ts'
import { runTransaction } from '../../src/database/transaction.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

const ANSWER_TIMEOUT_MS = 1000

let database: TestDatabase
let proxy: TcpProxy
/** One connection, through the proxy. */
let sql: Sql
let calls: TimedCalls

beforeEach(async () => {
  database = await createTestDatabase()
  await database.sql`create table kept (name text primary key)`
  const dsn = new URL(database.dsn)
  proxy = await startTcpProxy(Number(dsn.port))
  dsn.port = String(proxy.port)
  sql = openDatabase({ dsn: dsn.href, maxConnections: 1 })
  calls = new TimedCalls({ sql, answerTimeoutMs: ANSWER_TIMEOUT_MS })
  await calls.run((deadline) => insert('first', deadline))
})
afterEach(async () => {
  await sql.end({ timeout: 0 })
  await proxy.cut()
  await database.drop()
})

async function insert(name: string, deadline: CallDeadline): Promise<void> {
  const deadlineMs = await deadline.toDatabaseTime()
  await sql`insert into kept values (${name}) returning ${isInTime(sql, deadlineMs)}`
}

async function readNames(): Promise<string[]> {
  const rows = await database.sql<{ name: string }[]>`select name from kept order by name`
  return rows.map(({ name }) => name)
}

test('a call that gets no connection until its deadline is dropped: its work never begins', async () => {
  proxy.stall()
  const slow = expect(calls.run((deadline) => insert('slow', deadline))).rejects.toThrow('no answer')
  const work = vi.fn((deadline: CallDeadline) => insert('dropped', deadline))
  await expect(Promise.all([calls.run(work), calls.run(work)])).rejects.toThrow('no answer')
  await slow
  proxy.resume()
  await vi.waitFor(() => calls.run((deadline) => insert('last', deadline)), { timeout: 10_000 })
  expect(work).not.toHaveBeenCalled()
  expect(await readNames()).toEqual(['first', 'last'])
})

test('an answer that arrived while the process was busy for too long is not an error', async () => {
  // Without the proxy, which is in this process.
  const direct = new TimedCalls({ sql: database.sql, answerTimeoutMs: ANSWER_TIMEOUT_MS })
  await direct.run(() => database.sql`select`)
  const answer = direct.run(async () => {
    const selected = database.sql`select 1 as one`.execute()
    // The library writes a statement to its socket in one of the next turns of the event loop.
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ANSWER_TIMEOUT_MS * 1.2)
    return await selected
  })
  expect(await answer).toEqual([{ one: 1 }])
})

test('a write that waits for a lock until its deadline has no effect', async () => {
  const holder = await database.sql.reserve()
  await holder`begin`
  await holder`insert into kept values ('locked')`
  // It waits for the end of the transaction that inserts the same key.
  await expect(calls.run((deadline) => insert('locked', deadline))).rejects.toThrow('no answer')
  await holder`rollback`
  holder.release()
  await sql`select`
  expect(await readNames()).toEqual(['first'])
})

test('a transaction whose commit is delayed by the link is undone, and its caller gets the error', async () => {
  const errors: unknown[] = []
  const late = calls.run(async (deadline) => {
    const work = async (tx: Transaction) => {
      await tx`insert into kept values ('late')`
      proxy.stall()
    }
    await runTransaction(sql, work, deadline).catch((error: unknown) => errors.push(error))
  })
  await expect(late).rejects.toThrow('no answer')
  proxy.resume()
  await sql`select`
  expect(errors).toMatchObject([{ code: 'CP001' }])
  expect(await readNames()).toEqual(['first'])
})

test('a transaction that gets its connection after its deadline does not begin its work', async () => {
  const work = vi.fn(async () => undefined)
  const deadlines: CallDeadline[] = []
  await calls.run(async (deadline) => deadlines.push(deadline))
  await vi.waitUntil(() => deadlines[0]?.isPast, { timeout: 10_000 })
  await expect(runTransaction(sql, work, deadlines[0])).rejects.toMatchObject({ code: 'TOO_LATE' })
  expect(work).not.toHaveBeenCalled()
})

test('the locks of a transaction in a stalled link are free after the time limit of a statement', async () => {
  const dsn = new URL(database.dsn)
  dsn.port = String(proxy.port)
  const limited = openDatabase({ dsn: dsn.href, maxConnections: 1, statementTimeoutMs: 200 })
  let cut = Promise.resolve()
  await new Promise<void>((locked) => {
    cut = runTransaction(limited, async (tx) => {
      await tx`select from kept for update`
      proxy.stall()
      locked()
    })
    cut.catch(() => undefined)
  })
  await vi.waitFor(() => database.sql`select from kept for update nowait`, { timeout: 10_000 })
  proxy.resume()
  await expect(cut).rejects.toThrow()
  await limited.end({ timeout: 0 })
})
