// A scrape while the store of the queue hangs.
import { expect, onTestFinished, test, vi } from 'vitest'
import { startAssembly } from '../support/assembly.ts'
import { createTestDatabase } from '../support/database.ts'
import { KillableRedis } from '../support/killable-redis.ts'

/** Prometheus gives up a scrape after this time by default. */
const SCRAPE_TIMEOUT_MS = 10_000

test('a scrape is answered in time while Redis hangs, and names it', async () => {
  const [database, redis] = await Promise.all([createTestDatabase(), KillableRedis.start()])
  onTestFinished(async () => {
    await redis.stop()
    await database.drop()
  })
  // With its default of 4 s, this time limit would end the call first.
  const queue = { redis: { address: `127.0.0.1:${redis.port}`, io_timeout: '60s' } }
  const server = await startAssembly(database.dsn, { push_notifications: { queue } })
  onTestFinished(() => server.stop(0))
  const scrape = async () => {
    const response = await fetch(`${server.url}/metrics`, { signal: AbortSignal.timeout(SCRAPE_TIMEOUT_MS) })
    return await response.text()
  }
  const lag = /^centrifugo_push_queue_consuming_lag\{provider="fcm",queue="redis"\} 0$/m
  expect(await scrape()).toMatch(lag)
  redis.freeze()
  // At first the outage is not noticed, and the scrape asks Redis.
  expect(await scrape()).not.toMatch(lag)
  await vi.waitFor(async () => expect(await scrape()).toContain('centripush_store_up{store="redis"} 0'), 30_000)
  expect(await scrape()).toContain('centripush_store_up{store="postgresql"} 1')
  redis.thaw()
  await vi.waitFor(async () => expect(await scrape()).toContain('centripush_store_up{store="redis"} 1'), 30_000)
  expect(await scrape()).toMatch(lag)
})
