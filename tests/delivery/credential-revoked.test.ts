// A credential that its owner revokes while pushes are on their way, and mends.
import { type DestinationStream, pino } from 'pino'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { ProviderName } from '../../src/config/provider-names.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { createTestDatabase } from '../support/database.ts'
import { PUSH_SERVICES, type PushService } from '../support/push-services.ts'
import { keepLines, makeTestLogger } from '../support/run-log.ts'

const PUSHES = 5000
/** Of the delays of production, so that tried once a minute is once in 1.8 s; work is looked for twice a second. */
const RETRY_SCALE = 0.03
const PROBE_EVERY_MS = 60_000 * RETRY_SCALE
const PROBES = 2
const LONG = { timeout: 60_000, interval: 20 }

/** A server that sends through a service and another one. */
async function start(provider: ProviderName, otherProvider: ProviderName) {
  const database = await createTestDatabase()
  const [service, other] = await Promise.all([PUSH_SERVICES[provider](), PUSH_SERVICES[otherProvider]()])
  const refusals = new RefusalLog(provider)
  const server = await startAssembly(
    database.dsn,
    {
      push_notifications: {
        enabled_providers: [provider, otherProvider],
        [provider]: service.options,
        [otherProvider]: other.options,
      },
      worker: { retry_scale: RETRY_SCALE },
    },
    pino({ level: 'error' }, refusals.log),
  )
  const logger = makeTestLogger()
  const queue = new PostgresQueue({ sql: database.queueSql, logger, leaseMs: 15_000, maxJobs: 1000 })
  onTestFinished(async () => {
    await queue.close()
    await server.stop(5000)
    await Promise.all([service.stop(), other.stop()])
    await database.drop()
  }, 60_000)
  return { service, other, refusals, server, queue }
}

/** Each time that the server said that the provider refuses its credential: once for each batch that met it. */
class RefusalLog {
  readonly log: DestinationStream
  count = 0

  constructor(provider: ProviderName) {
    this.log = keepLines((line) => {
      const { provider: named, reason } = JSON.parse(line)
      if (named === provider && reason !== undefined) this.count++
    })
  }
}

async function send(server: TestAssembly, { recipient, notification }: PushService): Promise<void> {
  const answer = await server.post('/send_push_notification', { recipient: recipient(PUSHES), notification })
  expect(await answer.json()).toMatchObject({ result: {} })
}

test.each<[ProviderName, ProviderName]>([
  ['fcm', 'apns'],
  ['apns', 'fcm'],
  ['hms', 'fcm'],
  ['webpush', 'fcm'],
])(
  'a credential of %s that is revoked stops that provider alone, is tried now and then, and loses nothing',
  async (provider, otherProvider) => {
    const { service, other, refusals, server, queue } = await start(provider, otherProvider)
    const isPaused = async () => (await queue.stats()).pauses.some((pause) => pause.provider === provider)
    await send(server, service)
    await service.waitForAccepted(500)
    service.revoke()
    // The first batch that is refused pauses the provider, before it goes back.
    await vi.waitFor(() => expect(refusals.count).toBeGreaterThan(0), LONG)
    expect(await isPaused()).toBe(true)

    await send(server, other)
    await other.waitForAccepted(PUSHES)

    // Batches that were under way when the credential was revoked are refused too.
    await vi.waitFor(async () => expect((await queue.stats()).inFlight.get(provider) ?? 0).toBe(0), LONG)
    const [sinceMs, before] = [Date.now(), refusals.count]
    await vi.waitFor(() => expect(refusals.count).toBeGreaterThanOrEqual(before + PROBES), LONG)
    const probes = refusals.count - before
    expect(probes).toBeLessThanOrEqual((Date.now() - sinceMs) / PROBE_EVERY_MS + 1)
    expect(service.accepted().length).toBeLessThan(PUSHES)

    service.restore()
    await service.waitForAccepted(PUSHES)
    await vi.waitFor(async () => expect(await isPaused()).toBe(false), LONG)
    // The first try after it was mended was enough, and tries are a minute apart.
    expect(refusals.count).toBe(before + probes)
    expect(new Set(service.accepted().map(({ target }) => target)).size).toBe(PUSHES)
    expect(service.accepted()).toHaveLength(PUSHES)
    expect((await queue.stats()).deadLetters).toBe(0)
  },
)
