// Sends with a time window, from device rows to the provider. `npm run check:local-time` does the same with many
// devices.
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { RedisQueue } from '../../src/queue/redis/redis-queue.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { KillableRedis } from '../support/killable-redis.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { type Audience, countWithoutZone, storeAudience, ZONES } from './local-time/audience.ts'
import { Day } from './local-time/day.ts'
import { type MovableStore, makeMovablePostgres, makeMovableRedis } from './local-time/movable-store.ts'

const HOUR_MS = 3_600_000
const DEVICES = 3000
const OPTIONS = { logger: makeTestLogger(), leaseMs: 15_000, maxJobs: 100_000 }

let database: TestDatabase
let server: KillableRedis
let redis: Redis
let audience: Audience

beforeAll(async () => {
  ;[database, server] = await Promise.all([createTestDatabase(), KillableRedis.start()])
  redis = new Redis({ port: server.port, host: '127.0.0.1' })
  // Every sixth zone only, because each zone adds a jump of the clock.
  audience = await storeAudience(
    database.sql,
    DEVICES,
    ZONES.filter((_, index) => index % 6 === 0),
  )
})
afterAll(async () => {
  redis.disconnect()
  await server.stop()
  await database.drop()
})

function openStore(name: 'PostgreSQL' | 'Redis'): MovableStore {
  if (name === 'PostgreSQL') {
    return makeMovablePostgres(database.sql, new PostgresQueue({ sql: database.queueSql, ...OPTIONS }))
  }
  const connect = () => new Redis({ port: server.port, host: '127.0.0.1' })
  const prefix = randomUUID()
  return makeMovableRedis(
    redis,
    prefix,
    new RedisQueue({ client: connect(), subscriber: connect(), prefix, ...OPTIONS }),
  )
}

async function withDay(name: 'PostgreSQL' | 'Redis', work: (day: Day, store: MovableStore) => Promise<void>) {
  const store = openStore(name)
  const day = new Day({ audience, store, logger: OPTIONS.logger })
  try {
    await work(day, store)
  } finally {
    await day.stop()
    await store.queue.close()
  }
}

const MORNING = { afterMs: 9 * HOUR_MS, beforeMs: 10.5 * HOUR_MS, sendsWithoutZone: false }

describe.each(['PostgreSQL', 'Redis'] as const)(
  'on %s, in a send with hours of the day',
  { timeout: 60_000 },
  (name) => {
    test('each device gets its push once, inside its window, and a device without a zone gets none', () =>
      withDay(name, async (day) => {
        const send = await day.send(MORNING)
        await day.pass()
        expect(day.pushes.findOutside(audience, MORNING)).toEqual([])
        const withZone = DEVICES - countWithoutZone(audience)
        expect(day.pushes).toHaveLength(withZone)
        expect(day.pushes.countDevices(audience)).toEqual({ withZone, withoutZone: 0 })
        expect(await day.queue.loadSend(send.uid)).toBeUndefined()
      }))

    test('a device without a zone gets its push at once with no_tz_send_now', () =>
      withDay(name, async (day) => {
        const send = await day.send({ ...MORNING, sendsWithoutZone: true })
        expect(day.pushes.countDevices(audience).withoutZone).toBe(countWithoutZone(audience))
        await day.queue.cancel(send.uid)
        await day.pass()
      }))

    test('one call cancels all waiting pushes', () =>
      withDay(name, async (day, store) => {
        const send = await day.send(MORNING)
        const sent = day.pushes.length
        await day.queue.cancel(send.uid)
        await day.pass()
        expect(day.pushes).toHaveLength(sent)
        expect(await store.countWaiting()).toBe(0)
      }))
  },
)
