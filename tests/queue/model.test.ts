// Runs random steps, including abandoned claims and cancellations, on each store and on a model in memory. Both must
// agree.
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LANES } from '../../src/queue/lane.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { makeKeyBase } from '../../src/queue/redis/keys.ts'
import { PartitionedRedisQueue } from '../../src/queue/redis/partitioned-queue.ts'
import { RedisQueue, type RedisQueueDeps } from '../../src/queue/redis/redis-queue.ts'
import { createTestDatabase } from '../support/database.ts'
import { fc } from '../support/fast-check.ts'
import { KillableRedis } from '../support/killable-redis.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { emptyQueue } from './empty-queue.ts'
import { QueueModel, type RealQueue, type Step, type TargetsKind } from './model.ts'

const logger = makeTestLogger()
/** So long that leases end only by a step of the test. */
const LEASE_MS = 3_600_000
const RUNS = 60
const STEPS = 60

const which = fc.nat({ max: 1000 })
const lane = fc.constantFrom(...LANES)
const kind = fc.constantFrom<TargetsKind>('lines', 'range')
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('enqueue'), batches: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('enqueueWalk'), pages: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('claimSend') }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('commitPage'),
      which,
      batches: fc.array(fc.record({ kind, lane }), { maxLength: 3 }),
      leftOut: fc.nat({ max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('releaseSend'), which }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('claim'), lane, limit: fc.integer({ min: 1, max: 5 }) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('acknowledge'),
      ends: fc.array(fc.record({ which, retries: fc.array(kind, { maxLength: 2 }) }), { minLength: 1, maxLength: 5 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('release'), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel'), which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('readReport'), which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('endLeases') }) },
)

async function check(open: () => Promise<RealQueue>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: STEPS, size: 'max' }), async (steps) => {
      const model = new QueueModel(await open())
      for (const each of steps) await model.run(each)
      await model.drain()
    }),
    { numRuns: RUNS },
  )
}

test('the queue on PostgreSQL agrees with the model', async () => {
  const database = await createTestDatabase()
  const { sql, queueSql } = database
  const queue = new PostgresQueue({ sql: queueSql, logger, leaseMs: LEASE_MS, maxJobs: 100_000, restartGraceMs: 0 })
  try {
    await check(async () => {
      await emptyQueue(sql)
      return {
        queue,
        endLeases: async () => {
          await sql`update push_batches set claimable_at = clock_timestamp() where claimed`
          await sql`update push_sends set claimable_at = clock_timestamp() where claimable_at is not null`
        },
      }
    })
  } finally {
    await queue.close()
    await database.drop()
  }
}, 120_000)

let server: KillableRedis
beforeAll(async () => {
  server = await KillableRedis.start()
})
afterAll(() => server.stop())

async function checkRedis(open: (deps: RedisQueueDeps) => Queue, partitions: number): Promise<void> {
  const connect = () => new Redis({ port: server.port, host: '127.0.0.1' })
  const redis = connect()
  const queues: Queue[] = []
  try {
    await check(async () => {
      const prefix = randomUUID()
      const options = { leaseMs: LEASE_MS, maxJobs: 100_000, sweepMs: 0 }
      const queue = open({ client: connect(), subscriber: connect(), prefix, logger, ...options })
      queues.push(queue)
      const bases = Array.from({ length: partitions }, (_, partition) => makeKeyBase(prefix, partition))
      const endLeases = async () => {
        for (const base of bases) await endRedisLeases(redis, base)
      }
      return { queue, endLeases }
    })
  } finally {
    await Promise.all(queues.map((queue) => queue.close()))
    redis.disconnect()
  }
}

test('the queue on Redis agrees with the model', () => checkRedis((deps) => new RedisQueue(deps), 1), 120_000)

test('the queue on Redis in partitions agrees with the model', async () => {
  await checkRedis((deps) => new PartitionedRedisQueue({ ...deps, partitions: 3, maxSilenceMs: 0 }), 3)
}, 120_000)

/** Makes pending entries as idle as they are after a lease, and walks due now. */
async function endRedisLeases(redis: Redis, base: string): Promise<void> {
  for (const lane of LANES) {
    const stream = `${base}batches:${lane}:fcm`
    const pending = await redis.xpending(stream, 'workers', '-', '+', 10_000).catch(() => [])
    for (const entry of pending) {
      const [id, consumer] = Array.isArray(entry) ? entry.map(String) : []
      if (id === undefined || consumer === undefined) throw new Error('XPENDING has another answer')
      await redis.xclaim(stream, 'workers', consumer, 0, id, 'IDLE', String(LEASE_MS), 'JUSTID')
    }
  }
  for (const uid of await redis.zrange(`${base}due:small`, '0', '-1'))
    await redis.zadd(`${base}due:small`, 'XX', '1', uid)
  expect(await redis.zcount(`${base}due:small`, '(1', '+inf')).toBe(0)
}
