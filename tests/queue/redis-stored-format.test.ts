// The stored form of batches on Redis. Servers of other versions read it during an upgrade, and after it.
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { NewBatch } from '../../src/queue/batch.ts'
import { makeKeys } from '../../src/queue/redis/keys.ts'
import { RedisQueue } from '../../src/queue/redis/redis-queue.ts'
import { KillableRedis } from '../support/killable-redis.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { makeSend } from './make-send.ts'

const LINE = '\ta\t\t'
const BATCH: NewBatch = {
  provider: 'fcm',
  lane: 'small',
  targetKind: 'token',
  targets: { kind: 'lines', lines: Buffer.from(LINE) },
  count: 1,
}
const FIELDS = { k: 'token', n: '1', t: LINE, a: '0', m: '0', f: '' }
const UNPACK = "return cjson.encode(cmsgpack.unpack(redis.call('HVALS', KEYS[1])[1]))"
const PACK = "return redis.call('HSET', KEYS[1], ARGV[1], cmsgpack.pack(cjson.decode(ARGV[2])))"

let server: KillableRedis
let redis: Redis
let queue: RedisQueue
const prefix = randomUUID()
const { batches, dueSends, reports, retries, retryBodies, scheduled } = makeKeys(prefix)
const stream = batches('small', 'fcm')

beforeAll(async () => {
  server = await KillableRedis.start()
  const connect = () => new Redis({ port: server.port, host: '127.0.0.1' })
  redis = connect()
  const clients = { client: connect(), subscriber: connect() }
  queue = new RedisQueue({ ...clients, prefix, logger: makeTestLogger(), leaseMs: 15_000, maxJobs: 1000 })
})
afterAll(async () => {
  redis.disconnect()
  await queue.close()
  await server.stop()
})

test('a batch is a stream entry with the fields of earlier versions', async () => {
  const send = makeSend({ lane: 'small' })
  await queue.enqueue(send, { batches: [BATCH], cursor: undefined })
  const [entry] = await redis.xrange(stream, '-', '+')
  expect(entry?.[1]).toEqual(['u', send.uid, ...Object.entries(FIELDS).flat()])
  await redis.del(stream)
})

test('a delayed batch is a MessagePack map with the fields of earlier versions', async () => {
  const send = makeSend({ lane: 'small' })
  await queue.enqueue(send, { batches: [{ ...BATCH, delayMs: 60_000 }], cursor: undefined })
  const stored: unknown = JSON.parse(String(await redis.eval(UNPACK, 1, retryBodies)))
  expect(stored).toEqual({ s: stream, u: send.uid, ...FIELDS })
  await redis.del(retries, retryBodies)
})

test('a delayed batch of an earlier version is claimed with its attempts when it is due', async () => {
  const send = makeSend({ lane: 'small' })
  await queue.enqueue(send, { batches: [{ ...BATCH, delayMs: 60_000 }], cursor: undefined })
  await redis.del(retries, retryBodies)
  const body = { s: stream, u: send.uid, ...FIELDS, a: '2', m: '1', f: '1' }
  await redis.eval(PACK, 1, retryBodies, '7', JSON.stringify(body))
  await redis.zadd(retries, 1, '7')
  const claims = await queue.claimBatches('small', ['fcm'], 10)
  expect(claims).toMatchObject([
    { uid: send.uid, targets: { kind: 'lines', lines: [LINE] }, attempt: 3, ambiguousAttempts: 1, sendState: 'live' },
  ])
})

test('a scheduled send of an earlier version is counted and listed once, and walked at its time', async () => {
  const dueMs = Date.now() + 3_600_000
  const send = makeSend({ lane: 'small', sendAtMs: dueMs })
  await queue.enqueue(send)
  await redis.zadd(scheduled, dueMs, send.uid)
  await redis.zadd(reports, (await queue.loadReport(send.uid))?.acceptedAtMs ?? 0, send.uid)
  const list = async () => (await queue.listReports({ uidPrefix: send.uid }, 10)).reports
  expect(await list()).toMatchObject([{ uid: send.uid, state: 'scheduled' }])
  expect((await queue.stats()).scheduled).toBe(1)
  await redis.zadd(dueSends('small'), 1, send.uid)
  expect(await queue.claimSends('small', 1)).toMatchObject([{ uid: send.uid }])
  expect((await queue.stats()).scheduled).toBe(0)
  expect(await list()).toHaveLength(1)
})
