// The queue of the previous version in Redis is delivered without a migration. README.md describes the fixture.
import { readFile } from 'node:fs/promises'
import { Redis } from 'ioredis'
import * as v from 'valibot'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { RedisQueue } from '../../../src/queue/redis/redis-queue.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { KillableRedis } from '../../support/killable-redis.ts'
import { makeTestLogger } from '../../support/run-log.ts'
import { isFcm, type StoredAudience, storeAudience, withoutFinished } from './audience.ts'
import { type Pushes, startDelivery } from './start-delivery.ts'

/** The prefix of the keys in the fixture. */
const PREFIX = 'upgrade'
/** The devices in the batches that the walk in the middle has stored. */
const STORED = 50
/** The device of the user that is excluded from `lines`. */
const EXCLUDED = 'hms-150'
const WAIT = { timeout: 60_000, interval: 50 }

const Fixture = v.object({ keys: v.record(v.string(), v.object({ dump: v.string(), ttlMs: v.number() })) })

let server: KillableRedis
let database: TestDatabase
let audience: StoredAudience
let queue: RedisQueue
let pushes: Pushes
let stop: () => Promise<void>

beforeAll(async () => {
  server = await KillableRedis.start()
  database = await createTestDatabase()
  audience = await storeAudience(database.sql)
  await restoreQueue()
  queue = new RedisQueue({
    client: connect(),
    subscriber: connect(),
    prefix: PREFIX,
    logger: makeTestLogger(),
    leaseMs: 1000,
    maxJobs: 100_000,
  })
  ;({ pushes, stop } = startDelivery(queue, database.sql))
})
afterAll(async () => {
  await stop()
  await queue.close()
  await database.drop()
  await server.stop()
})

function connect(): Redis {
  return new Redis({ port: server.port, host: '127.0.0.1' })
}

async function restoreQueue(): Promise<void> {
  const text = await readFile(new URL('redis-7.0.json', import.meta.url), 'utf8')
  const { keys } = v.parse(Fixture, JSON.parse(text))
  const client = connect()
  for (const [key, { dump, ttlMs }] of Object.entries(keys)) {
    await client.restore(key, ttlMs, Buffer.from(dump, 'base64'))
  }
  client.disconnect()
}

/** Waits until a send has ended. @returns its pushes, sorted */
async function waitForPushes(uid: string): Promise<string[]> {
  await vi.waitFor(async () => expect(await queue.loadSend(uid)).toBeUndefined(), WAIT)
  return (pushes.get(uid) ?? []).toSorted()
}

const BROADCASTS: Record<string, (few: string[]) => string[]> = {
  'walk-waiting': (few) => few,
  'walk-claimed': (few) => few,
  'walk-in-the-middle': (few) => few,
  'scheduled-due': (few) => few,
  lines: (few) => withoutFinished(few).filter((token) => token !== EXCLUDED),
}

test('the walk in the middle has stored batches of both providers', () => {
  const stored = audience.few.slice(0, STORED)
  expect([stored.filter(isFcm).length, stored.length]).toEqual([48, STORED])
})

test.each(Object.entries(BROADCASTS))('the broadcast %s is sent to each remaining device once', async (uid, find) => {
  expect(await waitForPushes(uid)).toEqual(find(audience.few).toSorted())
})

test.each(['small-waiting', 'small-claimed', 'retrying'])(
  'the small send %s is sent to each target once',
  async (uid) => {
    expect(await waitForPushes(uid)).toEqual([`${uid}-1`, `${uid}-2`])
  },
)

test('a dead letter is listed, and sent when it is retried', async () => {
  expect(pushes.get('given-up')).toBeUndefined()
  const [letter] = await queue.listDeadLetters({}, 10)
  expect(letter).toMatchObject({ uid: 'given-up', provider: 'fcm', count: 2, reason: 'QUOTA_EXCEEDED', attempts: 1 })
  expect(await queue.retryDeadLetters({ uid: 'given-up' })).toBe(2)
  // The content of a send with dead letters is kept, so its end does not show.
  await vi.waitFor(() => expect(pushes.get('given-up')?.toSorted()).toEqual(['given-up-1', 'given-up-2']), WAIT)
})

test('no batch remains, cancelled sends have no push, and a later send keeps its time', async () => {
  await vi.waitFor(async () => {
    const { waiting, inFlight, scheduled } = await queue.stats()
    const open = [...waiting.values(), ...inFlight.values()].filter((count) => count > 0)
    expect({ open, scheduled }).toEqual({ open: [], scheduled: 1 })
  }, WAIT)
  for (const uid of ['cancelled', 'cancelled-broadcast', 'scheduled-far']) expect(pushes.get(uid) ?? []).toEqual([])
})
