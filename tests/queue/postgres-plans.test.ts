// The plans of the queue's statements. PostgreSQL makes them once per connection.
import { expect, onTestFinished, test } from 'vitest'
import { openDatabase } from '../../src/database/pool.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { DEFAULT_ACK_RULE } from '../../src/sends/ack-rule.ts'
import { createTestDatabase } from '../support/database.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { batchOf, rangeBatchOf } from './make-batch.ts'
import { makeSend } from './make-send.ts'

const BATCHES = 3000
const ENDED_SENDS = 5000
const EXCLUSIONS = 20_000
/** More rounds than PostgreSQL needs before it chooses a generic plan by itself. */
const PLAN_ROUNDS = 10
const RECIPIENT = {
  kind: 'filter',
  filter: { ids: [], users: [], topics: ['t'], providers: [], platforms: [] },
} as const
const LINES = batchOf('broadcast', 'a')
const RANGE = rangeBatchOf({ after: undefined, until: '00000000-0000-4000-8000-000000000000' })

async function openQueue() {
  const database = await createTestDatabase()
  const sql = openDatabase({ dsn: database.dsn, maxConnections: 1, plans: 'once' })
  const queue = new PostgresQueue({ sql, logger: makeTestLogger(), leaseMs: 15_000, maxJobs: 100_000 })
  onTestFinished(async () => {
    await queue.close()
    await sql.end({ timeout: 0 })
    await database.drop()
  })
  return { sql, queue }
}

/** Stores a group of sends, repeats it, and cancels it. */
async function workInGroups(queue: PostgresQueue): Promise<void> {
  const sends = [makeSend(), makeSend(), makeSend()]
  for (let time = 0; time < 2; time++) {
    const results = await Promise.all(sends.map((send) => queue.enqueue(send, { batches: [LINES], cursor: undefined })))
    expect(new Set(results)).toEqual(new Set([time === 0 ? 'accepted' : 'duplicate']))
  }
  await Promise.all(sends.map(({ uid }) => queue.cancel(uid)))
}

/** Walks a send, and claims and acknowledges batches of the queue. */
async function work(queue: PostgresQueue, claims: number): Promise<void> {
  await workInGroups(queue)
  const send = makeSend({ recipient: RECIPIENT })
  await queue.enqueue(send)
  for (const walk of await queue.claimSends('broadcast', 8)) {
    await queue.commitPage(walk, { batches: [LINES, RANGE], cursor: undefined })
  }
  for (let claim = 0; claim < claims; claim++) {
    const claimed = await queue.claimBatches('broadcast', ['fcm', 'apns'], 8)
    await queue.confirm(claimed, 0)
    await queue.confirm(claimed, 15_000)
    for (const one of claimed) {
      await queue.loadSend(one.uid)
      await queue.acknowledge(one, { retries: [], givenUp: [] })
    }
  }
}

test('statements that were planned on an empty queue scan no table of a full one', async () => {
  const { sql, queue } = await openQueue()
  for (let round = 0; round < PLAN_ROUNDS; round++) await work(queue, 2)
  const batches = Array.from({ length: BATCHES }, (_, index) => (index % 2 === 0 ? LINES : RANGE))
  await queue.enqueue(makeSend(), { batches, cursor: undefined })
  const before = await countScans(sql)
  await work(queue, 50)
  expect(await countScans(sql)).toEqual(before)
})

test('a walk and its batches read only their own send, even if many sends have ended since the planning', async () => {
  const { sql, queue } = await openQueue()
  // Workers make these calls on an unused queue.
  for (let round = 0; round < PLAN_ROUNDS; round++) {
    await queue.claimSends('broadcast', 8)
    await queue.claimBatches('broadcast', ['fcm', 'apns'], 8)
  }
  await sql`
    insert into push_sends (uid, state, request_hash)
    select 'ended ' || n, 3, '' from generate_series(1, ${ENDED_SENDS}::int) as n`
  const before = await countReads(sql)
  for (let round = 0; round < 20; round++) await work(queue, 2)
  expect((await countReads(sql)) - before).toBeLessThan(ENDED_SENDS)
})

test('a look for excluded targets reads only their own exclusions, of however many the send has', async () => {
  const { sql, queue } = await openQueue()
  const targets = Array.from({ length: 100 }, (_, n) => ({ user: `user-${n}`, deviceId: `device-${n}` }))
  const find = (uid: string) => queue.findExcluded(uid, targets, DEFAULT_ACK_RULE)
  for (let round = 0; round < PLAN_ROUNDS; round++) await find('unused')
  const send = makeSend()
  await queue.enqueue(send, { batches: [LINES], cursor: undefined })
  await sql`
    insert into push_drops (uid, user_id, device_id, kind)
    select ${send.uid}, 'user-' || n, '', n % 2 from generate_series(1, ${EXCLUSIONS}::int) as n`
  const before = await countReadExclusions(sql)
  expect(await find(send.uid)).toEqual(targets.map((_, n) => n > 0))
  expect((await countReadExclusions(sql)) - before).toBeLessThan(EXCLUSIONS)
})

/** Sequential scans of the queue's tables, from the statistics of the only connection. */
async function countScans(sql: ReturnType<typeof openDatabase>) {
  await sql`select pg_stat_force_next_flush()`
  return await sql`
    select relname, seq_scan from pg_stat_user_tables where relname in ('push_batches', 'push_sends') order by relname`
}

/** Rows of sends that were read. */
async function countReads(sql: ReturnType<typeof openDatabase>): Promise<number> {
  await sql`select pg_stat_force_next_flush()`
  const [row] = await sql<{ reads: string }[]>`
    select seq_tup_read + idx_tup_fetch as reads from pg_stat_user_tables where relname = 'push_sends'`
  return Number(row?.reads)
}

/** Rows and entries of the index of exclusions that were read. */
async function countReadExclusions(sql: ReturnType<typeof openDatabase>): Promise<number> {
  await sql`select pg_stat_force_next_flush()`
  const [row] = await sql<{ reads: string }[]>`
    select t.seq_tup_read + i.idx_tup_read as reads
    from pg_stat_user_tables t join pg_stat_user_indexes i using (relid) where t.relname = 'push_drops'`
  return Number(row?.reads)
}
