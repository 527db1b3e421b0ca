// The number of partitions of a queue on Redis can be changed: what was accepted before is delivered.
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { parseConfig } from '../../src/config/load.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { noteCount } from '../../src/queue/redis/partition-counts.ts'
import { PartitionedRedisQueue } from '../../src/queue/redis/partitioned-queue.ts'
import { RedisQueue } from '../../src/queue/redis/redis-queue.ts'
import { KillableRedis } from '../support/killable-redis.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { batchOf } from './make-batch.ts'
import { makeSend } from './make-send.ts'

const SENDS = 40

let server: KillableRedis
beforeAll(async () => {
  server = await KillableRedis.start()
})
afterAll(() => server.stop())

async function open(prefix: string, partitions: number): Promise<Queue> {
  const connect = () => new Redis({ port: server.port, host: '127.0.0.1' })
  const client = connect()
  const deps = { client, subscriber: connect(), prefix, logger: makeTestLogger(), leaseMs: 15_000, maxJobs: 1000 }
  const earlier = await noteCount(client, prefix, partitions)
  const isWhole = partitions === 1 && earlier.length === 0
  const queue = isWhole ? new RedisQueue(deps) : new PartitionedRedisQueue({ ...deps, partitions, earlier })
  onTestFinished(() => queue.close())
  return queue
}

test.each([
  [1, 16],
  [16, 4],
  [16, 1],
  [4, 16],
])('sends of %i partitions are recognised, cancelled and delivered by %i', async (before, after) => {
  const prefix = randomUUID()
  const first = await open(prefix, before)
  const sends = Array.from({ length: SENDS }, () => makeSend())
  const page = { batches: [batchOf('small', 'a')], cursor: undefined }
  for (const send of sends) expect(await first.enqueue(send, page)).toBe('accepted')
  const walked = makeSend()
  await first.enqueue(walked)

  const second = await open(prefix, after)
  for (const send of sends) expect(await second.enqueue(send, page)).toBe('duplicate')
  const [cancelled = walked] = sends
  await second.cancel(cancelled.uid)
  const [walk] = await second.claimSends('broadcast', 1)
  if (!walk) throw new Error('the send should be due')
  expect(await second.commitPage(walk, { ...page, cursor: undefined })).toBe('committed')
  const claims = await second.claimBatches('small', ['fcm'], SENDS + 10)
  expect(claims.map(({ uid }) => uid).toSorted()).toEqual([...sends, walked].map(({ uid }) => uid).toSorted())
  expect(claims.filter(({ sendState }) => sendState === 'cancelled')).toMatchObject([{ uid: cancelled.uid }])
  for (const claim of claims) {
    expect(await second.acknowledge(claim, { retries: [], givenUp: [] })).toBe('acknowledged')
  }
  expect((await second.listReports({}, 100)).reports).toHaveLength(SENDS + 1)
})

test.each([0, 65, 1.5, 'many'])('%s partitions are refused', (partitions) => {
  expect(() => parseConfig({ push_notifications: { queue: { redis: { partitions } } } })).toThrow('partitions')
})
