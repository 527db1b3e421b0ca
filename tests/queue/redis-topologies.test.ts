// The queue on Redis behind a Sentinel and on a Cluster. The contract tests its promises. These tests check that every
// script works there, with all its keys in one slot.
import { expect, onTestFinished, test, vi } from 'vitest'
import { chooseRedis } from '../../src/config/check.ts'
import { parseConfig } from '../../src/config/load.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { PartitionedRedisQueue } from '../../src/queue/redis/partitioned-queue.ts'
import { RedisQueue } from '../../src/queue/redis/redis-queue.ts'
import { connectRedis } from '../../src/redis/connect.ts'
import { DEFAULT_ACK_RULE } from '../../src/sends/ack-rule.ts'
import { startCluster, startSentinel } from '../support/redis-topologies.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { newLines, readLines, storedLines } from './make-batch.ts'
import { makeSend } from './make-send.ts'

const logger = makeTestLogger()
const LINE = 'device\ttoken\tuser\tios'
const BATCH = { provider: 'fcm', lane: 'small', targetKind: 'token', ...newLines([LINE]) } as const

async function openQueue(redis: object, partitions = 1): Promise<Queue> {
  const options = chooseRedis(parseConfig({ push_notifications: { queue: { redis } } }))
  const client = await connectRedis(options, logger)
  const subscriber = await connectRedis(options, logger)
  const deps = { client, subscriber, prefix: options.prefix, logger, leaseMs: 15_000, maxJobs: 1000 }
  const queue = partitions === 1 ? new RedisQueue(deps) : new PartitionedRedisQueue({ ...deps, partitions })
  onTestFinished(() => queue.close())
  return queue
}

async function use(queue: Queue): Promise<void> {
  const walked = makeSend()
  expect(await queue.enqueue(walked)).toBe('accepted')
  const [walk] = await queue.claimSends('broadcast', 1)
  if (!walk) throw new Error('the send should be due')
  expect(await queue.extendWalk(walk)).toBe('extended')
  const batches = [BATCH, BATCH, { ...BATCH, lane: 'broadcast' as const }]
  expect(await queue.commitPage(walk, { batches, cursor: undefined })).toBe('committed')
  expect(await queue.exclude(walked.uid, { user: 'user', deviceId: '' })).toBe('excluded')
  const [first, second] = await queue.claimBatches('small', ['fcm', 'apns'], 2)
  if (!first || !second) throw new Error('both batches should be claimable')
  expect(first).toMatchObject({ uid: walked.uid, hasExclusions: true, sendState: 'live' })
  expect(await queue.findExcluded(walked.uid, [{ user: 'user', deviceId: 'device' }], DEFAULT_ACK_RULE)).toEqual([true])
  expect(await queue.confirm([first, second], 0)).toEqual(['excluded', 'excluded'])
  await queue.checkpoint([{ claim: first, finished: Uint8Array.of(1), note: '' }])
  const retries = [{ ...storedLines([LINE]), delayMs: 0, ambiguousAttempts: 0 }]
  expect(await queue.acknowledge(first, { retries, givenUp: [] })).toBe('acknowledged')
  const givenUp = [{ ...storedLines([LINE]), reason: 'UNAVAILABLE' }]
  expect(await queue.acknowledge(second, { retries: [], givenUp })).toBe('acknowledged')
  expect(await queue.retryDeadLetters({})).toBe(1)
  const [broadcast] = await queue.claimBatches('broadcast', ['fcm'], 1)
  if (!broadcast) throw new Error('the broadcast should be claimable')
  expect(readLines(broadcast)).toEqual([LINE])
  expect(await queue.acknowledge(broadcast, { retries: [], givenUp: [] })).toBe('acknowledged')
  await queue.cancel(walked.uid)
  await queue.pause('apns', 'by hand', undefined)
  expect(await queue.stats()).toMatchObject({ scheduled: 0, pauses: [{ provider: 'apns' }] })
  await queue.resume('apns')
  const left = await queue.claimBatches('small', ['fcm'], 10)
  expect(left).toMatchObject([{ sendState: 'cancelled' }, { sendState: 'cancelled' }])
  await queue.release(left)
}

async function wake(queue: Queue): Promise<void> {
  let isAwake = false
  void queue.waitForWork('small', 60_000, new AbortController().signal).then(() => {
    isAwake = true
  })
  await vi.waitFor(async () => {
    await queue.enqueue(makeSend(), { batches: [BATCH], cursor: undefined })
    expect(isAwake).toBe(true)
  })
}

test('the queue works behind a Sentinel', async () => {
  const sentinel = await startSentinel('pushes')
  onTestFinished(() => sentinel.stop())
  const queue = await openQueue({ sentinel_address: [sentinel.address], sentinel_master_name: 'pushes' })
  await use(queue)
  await wake(queue)
}, 120_000)

test('the queue works on a Cluster', async () => {
  const cluster = await startCluster()
  onTestFinished(() => cluster.stop())
  const queue = await openQueue({ cluster_address: [cluster.address] })
  await use(queue)
  await wake(queue)
}, 120_000)

test('the queue in partitions works on a Cluster, and hears the announcements of all servers', async () => {
  const cluster = await startCluster()
  onTestFinished(() => cluster.stop())
  const queue = await openQueue({ cluster_address: [cluster.address] }, 16)
  await use(queue)
  await wake(queue)
  // Until the announcements of one partition are not heard, work may become due at any moment.
  await vi.waitFor(async () => expect(await queue.untilDue('broadcast', ['fcm'])).toBe(Number.POSITIVE_INFINITY))
}, 120_000)
