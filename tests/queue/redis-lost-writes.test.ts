// Redis answers before a write is on disk. After a crash of Redis, processes repeat their lost writes from memory.
import { randomUUID } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { Redis } from 'ioredis'
import { type Logger, pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { NewBatch } from '../../src/queue/batch.ts'
import { MAX_RECENT_WRITES_BYTES } from '../../src/queue/redis/limits.ts'
import { RecentWrites } from '../../src/queue/redis/recent-writes.ts'
import { RedisQueue } from '../../src/queue/redis/redis-queue.ts'
import { KillableRedis } from '../support/killable-redis.ts'
import { keepLines } from '../support/run-log.ts'
import { newLines } from './make-batch.ts'
import { makeSend } from './make-send.ts'

const BATCH: NewBatch = { provider: 'fcm', lane: 'small', targetKind: 'token', ...newLines(['\ta\t\t']) }
const PAGE = { batches: [BATCH], cursor: undefined }
const WAIT = { timeout: 20_000, interval: 20 }

let server: KillableRedis
let queue: RedisQueue
let logged: string[]
let prefix: string
let logger: Logger

beforeEach(async () => {
  server = await KillableRedis.start()
  logged = []
  prefix = randomUUID()
  logger = pino(
    { level: 'info' },
    keepLines((line) => logged.push(line)),
  )
  queue = await openQueue()
})

async function connect(): Promise<Redis> {
  const options = { port: server.port, host: '127.0.0.1', retryStrategy: () => 50, enableOfflineQueue: false }
  const client = new Redis({ ...options, lazyConnect: true })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

async function openQueue(): Promise<RedisQueue> {
  const [client, subscriber] = [await connect(), await connect()]
  return new RedisQueue({ client, subscriber, prefix, logger, leaseMs: 15_000, maxJobs: 1000 })
}

afterEach(async () => {
  await queue.close()
  await server.stop()
})

const claimAll = () => queue.claimBatches('small', ['fcm'], 10)
const waitUntilBack = () => vi.waitFor(() => expect(logged.join('')).toContain('Redis reconnected'), WAIT)

test('sends that a killed Redis lost are stored again, and cancelled sends stay cancelled', async () => {
  const [small, cancelled, scheduled] = [makeSend(), makeSend(), makeSend({ sendAtMs: Date.now() + 3_600_000 })]
  await queue.enqueue(small, PAGE)
  await queue.enqueue(cancelled, PAGE)
  await queue.enqueue(scheduled)
  await queue.cancel(cancelled.uid)
  await server.killAndForget()
  await server.restart()
  await waitUntilBack()
  const claims = await claimAll()
  expect(claims.filter(({ sendState }) => sendState === 'live').map(({ uid }) => uid)).toEqual([small.uid])
  expect((await queue.stats()).scheduled).toBe(1)
  expect(await queue.enqueue(small, PAGE)).toBe('duplicate')
})

test('a send that is stored again keeps its exclusions', async () => {
  const send = makeSend()
  await queue.exclude(send.uid, { user: 'u', deviceId: '' })
  await queue.enqueue(send, PAGE)
  await server.killAndForget()
  await server.restart()
  await waitUntilBack()
  expect(await claimAll()).toMatchObject([{ uid: send.uid, hasExclusions: true }])
})

test('sends that a killed Redis kept are not sent again', async () => {
  const [ended, waiting] = [makeSend(), makeSend()]
  await queue.enqueue(ended, PAGE)
  for (const claim of await claimAll()) await queue.acknowledge(claim, { retries: [], givenUp: [] })
  await queue.enqueue(waiting, PAGE)
  await server.waitUntilWritten()
  await server.kill()
  await server.restart()
  await waitUntilBack()
  expect((await claimAll()).map(({ uid }) => uid)).toEqual([waiting.uid])
})

test('a repeated send that another process accepted is stored again too', async () => {
  const send = makeSend()
  const elsewhere = await openQueue()
  await elsewhere.enqueue(send, PAGE)
  await elsewhere.close()
  expect(await queue.enqueue(send, PAGE)).toBe('duplicate')
  await server.killAndForget()
  await server.restart()
  await vi.waitFor(async () => expect(await claimAll()).toMatchObject([{ uid: send.uid }]), WAIT)
})

test('writes that a restarted Redis has no memory for are stored again when it has memory', async () => {
  const send = makeSend()
  await queue.enqueue(send, PAGE)
  const operator = await connect()
  await operator.flushall()
  await operator.config('SET', 'maxmemory', 1)
  await operator.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await vi.waitFor(async () => expect(await operator.info('errorstats')).toContain('errorstat_OOM'), WAIT)
  operator.disconnect()
  await server.limitMemory(undefined)
  await vi.waitFor(async () => expect(await claimAll()).toMatchObject([{ uid: send.uid }]), WAIT)
})

test('writes between two losses are stored again, even if those of the first loss are not stored yet', async () => {
  const client = await connect()
  const writes = new RecentWrites({ client, logger, maxBytes: MAX_RECENT_WRITES_BYTES })
  const gate = new EventEmitter()
  const opened = once(gate, 'open')
  const repeated = {
    first: vi.fn(() => opened.then(() => true)),
    second: vi.fn(() => client.ping().then(() => true)),
  }
  writes.remember({ bytes: 1, isCancellation: false, repeat: repeated.first })
  const loseConnection = async () => {
    const back = once(client, 'ready')
    client.disconnect(true)
    await back
  }
  await loseConnection()
  expect(repeated.first).toHaveBeenCalled()
  writes.remember({ bytes: 1, isCancellation: false, repeat: repeated.second })
  await loseConnection()
  gate.emit('open')
  await waitUntilBack()
  expect(repeated.second).toHaveBeenCalled()
  writes.close()
  client.disconnect()
})
