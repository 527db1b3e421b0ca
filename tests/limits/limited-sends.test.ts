// Sends with rate limits, from the API to the provider.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startFcmSimulator, type TestFcmSimulator } from '../support/fcm-simulator.ts'
import { KillableRedis } from '../support/killable-redis.ts'

const HOUR_MS = 3_600_000
const TIMEOUT = { timeout: 20_000, interval: 50 }

let redis: KillableRedis
let fcm: TestFcmSimulator

beforeAll(async () => {
  ;[fcm, redis] = await Promise.all([startFcmSimulator(), KillableRedis.start()])
})
afterAll(async () => {
  await fcm.stop()
  await redis.stop()
})

describe.each(['postgresql', 'redis'] as const)('on %s, a rate limit', (type) => {
  let database: TestDatabase
  let server: TestAssembly

  beforeAll(async () => {
    database = await createTestDatabase()
    const { origin, files } = fcm.simulator
    server = await startAssembly(database.dsn, {
      push_notifications: {
        queue: type === 'redis' ? { type, redis: { address: `127.0.0.1:${redis.port}` } } : { type },
        enabled_providers: ['fcm'],
        fcm: { credentials_file: files.credentials, ca_file: files.ca, push_endpoint: origin, auth_endpoint: origin },
      },
    })
  })
  afterAll(async () => {
    await server.stop(0)
    await database.drop()
  })

  async function register(user: string, ...tokens: string[]): Promise<void> {
    for (const token of tokens) {
      await server.post('/device_register', { provider: 'fcm', platform: 'android', token: `${type}-${token}`, user })
    }
  }

  async function send(user: string, uid: string, rate_limit: object, more: object = {}): Promise<void> {
    const answer = await server.post('/send_push_notification', {
      uid: `${type} ${uid}`,
      recipient: { filter: { users: [user] } },
      notification: { fcm: { message: { data: { uid } } }, ...more },
      limit_strategy: { rate_limit },
    })
    expect(await answer.json()).toEqual({ result: { uid: `${type} ${uid}` } })
  }

  const arrivals = (prefix: string) =>
    fcm.simulator.accepted.filter(({ target }) => target.startsWith(`${type}-${prefix}`))
  const metric = async (reason: string) => {
    const text = await (await fetch(`${server.url}/metrics`)).text()
    return Number(new RegExp(`unsent_count\\{.*reason="${reason}".*\\} (\\d+)`).exec(text)?.[1] ?? 0)
  }

  test('drops the pushes that exceed it, counts them, and does not affect other keys', async () => {
    await register('anna', 'a1', 'a2')
    const once = { policies: [{ rate: 1, interval_ms: HOUR_MS }], drop_if_rate_limited: true }
    await send('anna', 'first', once)
    await vi.waitFor(() => expect(arrivals('a')).toHaveLength(2), TIMEOUT)
    await send('anna', 'another', once)
    await vi.waitFor(async () => expect(await metric('rate_limited')).toBe(2), TIMEOUT)
    await send('anna', 'third', { ...once, key: 'other:{{.device.id}}' })
    await vi.waitFor(() => expect(arrivals('a')).toHaveLength(4), TIMEOUT)
    expect(arrivals('a').filter(({ body }) => body.includes('another'))).toEqual([])
  })

  test('of a user counts all devices of that user together', async () => {
    await register('bob', 'b1', 'b2', 'b3')
    await send('bob', 'one of three', {
      key: '{{.device.user}}',
      policies: [{ rate: 1, interval_ms: HOUR_MS }],
      drop_if_rate_limited: true,
    })
    await vi.waitFor(() => expect(arrivals('b')).toHaveLength(1), TIMEOUT)
    await vi.waitFor(async () => expect(await metric('rate_limited')).toBe(4), TIMEOUT)
  })

  test('delays the pushes that exceed it, each by its own wait', async () => {
    await register('cyd', 'c1', 'c2', 'c3')
    const policies = [{ rate: 1, interval_ms: 700 }]
    await send('cyd', 'in a row', { key: 'device.user', policies })
    await vi.waitFor(() => expect(arrivals('c')).toHaveLength(3), TIMEOUT)
    expect(new Set(arrivals('c').map(({ target }) => target)).size).toBe(3)
  })

  test('with a wait beyond the expiry of its send ends the push as expired, and counts it', async () => {
    await register('dan', 'd1')
    const policies = [{ rate: 1, interval_ms: HOUR_MS }]
    const expire_at = Math.floor(Date.now() / 1000) + 60
    await send('dan', 'in time', { policies }, { expire_at })
    await vi.waitFor(() => expect(arrivals('d')).toHaveLength(1), TIMEOUT)
    await send('dan', 'too late', { policies }, { expire_at })
    await vi.waitFor(async () => expect(await metric('expired')).toBe(1), TIMEOUT)
    expect(arrivals('d')).toHaveLength(1)
  })
})
