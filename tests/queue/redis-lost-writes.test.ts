// Redis answers before its file has what was written. What it forgot when it was killed, whoever wrote it knows.
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { NewBatch } from '../../src/queue/queue.ts'
import { RedisQueue } from '../../src/queue/redis/redis-queue.ts'
import { KillableRedis } from '../support/killable-redis.ts'
import { makeSend } from './make-send.ts'

const BATCH: NewBatch = { provider: 'fcm', lane: 'small', targetKind: 'token', lines: '\ta\t\t', count: 1 }
const PAGE = { batches: [BATCH], cursor: undefined }
const WAIT = { timeout: 20_000, interval: 20 }

let server: KillableRedis
let queue: RedisQueue
let logged: string[]

beforeEach(async () => {
  server = await KillableRedis.start()
  logged = []
  const options = { port: server.port, host: '127.0.0.1', retryStrategy: () => 50, enableOfflineQueue: false }
  const connect = async () => {
    const client = new Redis({ ...options, lazyConnect: true })
    client.on('error', () => undefined)
    await client.connect()
    return client
  }
  queue = new RedisQueue({
    client: await connect(),
    subscriber: await connect(),
    prefix: randomUUID(),
    logger: pino({ level: 'info' }, { write: (line: string) => void logged.push(line) }),
    leaseMs: 15_000,
    maxJobs: 1000,
  })
})
afterEach(async () => {
  await queue.close()
  await server.stop()
})

const claimAll = () => queue.claimBatches('small', ['fcm'], 10)
const waitUntilBack = () => vi.waitFor(() => expect(logged.join('')).toContain('Redis is back'), WAIT)

test('sends that a killed Redis has forgotten are stored again, and those cancelled stay so', async () => {
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

test('whom a send leaves out is left out of what is stored again', async () => {
  const send = makeSend()
  await queue.drop(send.uid, { user: 'u', deviceId: '' })
  await queue.enqueue(send, PAGE)
  await server.killAndForget()
  await server.restart()
  await waitUntilBack()
  expect(await claimAll()).toMatchObject([{ uid: send.uid, hasDrops: true }])
})

test('what a killed Redis still has is not sent a second time', async () => {
  const [ended, waiting] = [makeSend(), makeSend()]
  await queue.enqueue(ended, PAGE)
  for (const claim of await claimAll()) await queue.acknowledge(claim, { retries: [], givenUp: [] })
  await queue.enqueue(waiting, PAGE)
  await server.kill()
  await server.restart()
  await waitUntilBack()
  expect((await claimAll()).map(({ uid }) => uid)).toEqual([waiting.uid])
})
