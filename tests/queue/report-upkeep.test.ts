// Reports outlive their sends, and are deleted some time after it.
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import {
  deleteForgottenSends,
  deleteOldReports,
  giveUpUnclaimedBatches,
} from '../../src/queue/postgres/upkeep-statements.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { makeKeys } from '../../src/queue/redis/keys.ts'
import { RedisQueue } from '../../src/queue/redis/redis-queue.ts'
import { trimReports } from '../../src/queue/redis/report-scripts.ts'
import { giveUpUnclaimedBatches as giveUpUnclaimedEntries } from '../../src/queue/redis/upkeep-scripts.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { KillableRedis } from '../support/killable-redis.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { batchOf, rangeBatchOf } from './make-batch.ts'
import { makeSend } from './make-send.ts'

const DAY_MS = 24 * 3600 * 1000
const SENT = { retries: [], givenUp: [], counts: [{ provider: 'fcm', counted: 'sent', reason: '', count: 1 }] } as const
const options = { logger: makeTestLogger(), leaseMs: 15_000, maxJobs: 1000 }

async function sendTo(queue: Queue, uid: string): Promise<void> {
  await queue.enqueue(makeSend({ uid, lane: 'small' }), { batches: [batchOf('small', 'a')], cursor: undefined })
  const [claim] = await queue.claimBatches('small', ['fcm'], 1)
  if (!claim) throw new Error('the batch should be claimable')
  await queue.acknowledge(claim, SENT)
}

/** A range that no worker reads, and a line that waits for its retry. */
async function leaveUnclaimed(queue: Queue): Promise<string> {
  const send = makeSend()
  await queue.enqueue(send)
  const [walk] = await queue.claimSends('broadcast', 1)
  if (!walk) throw new Error('the send should be due')
  const range = rangeBatchOf({ after: undefined, until: 'ffffffff-ffff-4fff-8fff-ffffffffffff' })
  await queue.commitPage(walk, { batches: [range, batchOf('broadcast', 'a')], cursor: undefined })
  return send.uid
}

const UNCLAIMED = [
  { provider: 'fcm', counted: 'target', reason: '', count: 501 },
  { provider: 'fcm', counted: 'failed', reason: 'not claimed by any worker for two days', count: 501 },
]

describe('on PostgreSQL', () => {
  let database: TestDatabase
  let queue: PostgresQueue
  beforeAll(async () => {
    database = await createTestDatabase()
    queue = new PostgresQueue({ sql: database.queueSql, ...options })
  })
  afterAll(async () => {
    await queue.close()
    await database.drop()
  })
  const forget = () => database.sql`update push_sends set forget_at = clock_timestamp() - interval '1 s'`

  test('the report of a deleted send is kept, listed, counted in and deleted after its time', async () => {
    await sendTo(queue, 'first')
    const before = await queue.loadReport('first')
    await forget()
    await deleteForgottenSends(database.queueSql)
    expect(await database.sql`select from push_sends`).toHaveLength(0)
    expect(await queue.loadReport('first')).toEqual(before)
    await queue.countStatuses([{ uid: 'first', delivered: 1, interacted: 0 }])
    expect((await queue.listReports({}, 10)).reports).toEqual([{ ...before, delivered: 1 }])
    await deleteOldReports(database.queueSql, DAY_MS)
    expect(await queue.loadReport('first')).toBeDefined()
    await deleteOldReports(database.queueSql, 0)
    expect(await queue.loadReport('first')).toBeUndefined()
  })

  test('a uid that is used again has the report of its last send', async () => {
    await sendTo(queue, 'again')
    await forget()
    await deleteForgottenSends(database.queueSql)
    await queue.enqueue(makeSend({ uid: 'again', sendAtMs: Date.now() + DAY_MS }))
    expect(await queue.loadReport('again')).toMatchObject({ state: 'scheduled', counts: [] })
    await queue.cancel('again')
    await forget()
    await deleteForgottenSends(database.queueSql)
    expect(await queue.loadReport('again')).toMatchObject({ state: 'cancelled', counts: [] })
    expect((await queue.listReports({ uidPrefix: 'again' }, 10)).reports).toHaveLength(1)
  })

  test('a cancellation without a send leaves no report', async () => {
    await queue.cancel('never sent')
    await forget()
    await deleteForgottenSends(database.queueSql)
    expect(await queue.loadReport('never sent')).toBeUndefined()
  })

  test('batches that no worker claims count as failed, and wait again when they are retried', async () => {
    const uid = await leaveUnclaimed(queue)
    await database.sql`update push_batches set claimable_at = clock_timestamp() - interval '3 days'`
    await giveUpUnclaimedBatches(database.queueSql)
    const report = await queue.loadReport(uid)
    expect(report?.state).toBe('ended')
    expect(report?.counts).toHaveLength(2)
    for (const count of UNCLAIMED) expect(report?.counts).toContainEqual(count)
    await queue.retryDeadLetters({ uid })
    expect(await queue.loadReport(uid)).toMatchObject({
      state: 'active',
      counts: [{ provider: 'fcm', counted: 'target', reason: '', count: 1 }],
    })
  })
})

describe('on Redis', () => {
  let server: KillableRedis
  let redis: Redis
  let queue: RedisQueue
  const prefix = randomUUID()
  const keys = makeKeys(prefix)
  beforeAll(async () => {
    server = await KillableRedis.start()
    const connect = () => new Redis({ port: server.port, host: '127.0.0.1' })
    redis = connect()
    const clients = { client: connect(), subscriber: connect() }
    queue = new RedisQueue({ ...clients, prefix, ...options, keepReportsMs: 2 * DAY_MS })
  })
  afterAll(async () => {
    redis.disconnect()
    await queue.close()
    await server.stop()
  })
  const trim = (keepMs: number, most?: number) => trimReports({ client: redis, keys }, keepMs, most)

  test('a report expires after the end of its send, and leaves the index at the next clean-up', async () => {
    await queue.enqueue(makeSend({ uid: 'scheduled', sendAtMs: Date.now() + 3 * DAY_MS }))
    await sendTo(queue, 'ended')
    expect(await redis.ttl(keys.report('scheduled'))).toBe(-1)
    expect(await redis.ttl(keys.report('ended'))).toBeGreaterThan(DAY_MS / 1000)
    await redis.del(keys.send('ended'))
    expect(await queue.loadReport('ended')).toMatchObject({ state: 'ended' })
    await redis.del(keys.report('ended'))
    expect((await queue.listReports({}, 10)).reports).toMatchObject([{ uid: 'scheduled' }])
    await trim(2 * DAY_MS)
    expect(await redis.zrange(keys.reports, '0', '-1')).toEqual([])
  })

  test('a cancelled report expires, also when its batches are never acknowledged', async () => {
    await queue.enqueue(makeSend({ uid: 'cancelled', lane: 'small' }), {
      batches: [batchOf('small', 'a')],
      cursor: undefined,
    })
    await queue.cancel('cancelled')
    expect(await queue.loadReport('cancelled')).toMatchObject({ state: 'cancelled', endedAtMs: undefined })
    expect(await redis.ttl(keys.report('cancelled'))).toBeGreaterThan(DAY_MS / 1000)
    const [claim] = await queue.claimBatches('small', ['fcm'], 1)
    if (!claim) throw new Error('the batch should be claimable')
    await queue.acknowledge(claim, { retries: [], givenUp: [] })
    expect(await queue.loadReport('cancelled')).toMatchObject({ endedAtMs: expect.any(Number) })
    await redis.del(keys.report('cancelled'))
    await redis.zrem(keys.reports, 'cancelled')
  })

  test('above the limit, the oldest reports of ended sends are deleted', async () => {
    for (const uid of ['a', 'b', 'c']) {
      await sendTo(queue, uid)
      await redis.zadd(keys.reports, String(uid.charCodeAt(0)), uid)
    }
    await redis.zadd(keys.scheduled, '1', 'scheduled')
    await trim(2 * DAY_MS, 1)
    expect(await redis.zrange(keys.reports, '0', '-1')).toEqual(['c'])
    expect(await queue.loadReport('b')).toBeUndefined()
    expect(await queue.loadReport('scheduled')).toBeDefined()
  })

  test('the clean-up reads no report of a send that waits for its time', async () => {
    const uids = Array.from({ length: 3000 }, (_, index) => `waiting-${index}`)
    await Promise.all(uids.map((uid) => queue.enqueue(makeSend({ uid, sendAtMs: Date.now() + 3 * DAY_MS }))))
    const before = await countCommands(redis)
    await trim(2 * DAY_MS, 1)
    expect((await countCommands(redis)) - before).toBeLessThan(100)
    // A cancelled send does not wait any more.
    await queue.cancel('waiting-7')
    expect(await redis.zrange(keys.reports, '-1', '-1')).toEqual(['waiting-7'])
    expect((await queue.stats()).scheduled).toBeGreaterThanOrEqual(2999)
    expect((await queue.listReports({ uidPrefix: 'waiting-7' }, 200)).reports.map(({ uid }) => uid)).toContain(
      'waiting-7',
    )
    await Promise.all(uids.map((uid) => queue.cancel(uid)))
  })

  test('a uid that is used again has the report of its last send', async () => {
    await sendTo(queue, 'again')
    await redis.del(keys.send('again'))
    await queue.enqueue(makeSend({ uid: 'again', sendAtMs: Date.now() + DAY_MS }))
    expect(await queue.loadReport('again')).toMatchObject({ state: 'scheduled', counts: [], endedAtMs: undefined })
    expect(await redis.ttl(keys.report('again'))).toBe(-1)
  })

  test('batches that no worker claims count as failed, and wait again when they are retried', async () => {
    const uid = await leaveUnclaimed(queue)
    await giveUpUnclaimedEntries({ client: redis, keys, consumer: 'upkeep' }, 0)
    const report = await queue.loadReport(uid)
    expect(report?.state).toBe('ended')
    expect(report?.counts).toHaveLength(2)
    for (const count of UNCLAIMED) expect(report?.counts).toContainEqual(count)
    await queue.retryDeadLetters({ uid })
    expect(await queue.loadReport(uid)).toMatchObject({
      state: 'active',
      counts: [{ provider: 'fcm', counted: 'target', reason: '', count: 1 }],
    })
  })

  test('lists the reports of thousands of sends of the same time', async () => {
    await redis.flushall()
    const uids = Array.from({ length: 2500 }, (_, number) => `u${number}`)
    for (const uid of uids) {
      await redis.zadd(keys.reports, String(1000 + Math.floor(uids.indexOf(uid) / 500)), uid)
      await redis.hset(keys.report(uid), 'accepted', '1000', 'send', '', 'expire', '', 'keep', '1')
    }
    const found: string[] = []
    let cursor: string | undefined
    do {
      const page = await queue.listReports({}, 300, cursor)
      found.push(...page.reports.map(({ uid }) => uid))
      cursor = page.nextCursor
    } while (cursor !== undefined)
    expect(found.toSorted()).toEqual(uids.toSorted())
    expect((await queue.listReports({ uidPrefix: 'u12' }, 1000)).reports).toHaveLength(111)
  })
})

/** The commands that Redis has executed, those of scripts included. */
async function countCommands(redis: Redis): Promise<number> {
  const stats = await redis.info('commandstats')
  return [...stats.matchAll(/cmdstat_\S+:calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0)
}
