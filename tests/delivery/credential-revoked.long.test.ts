// A credential that its owner revokes while pushes are in flight, and restores later.
import { type DestinationStream, pino } from 'pino'
import { expect, type TestContext, test, vi } from 'vitest'
import type { ProviderName } from '../../src/config/provider-names.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { createTestDatabase } from '../support/database.ts'
import { PUSH_SERVICES, type PushService } from '../support/push-services.ts'
import { keepLines, makeTestLogger } from '../support/run-log.ts'

const PUSHES = 1500
/** The scale of production's delays: a probe comes every 0.9 s instead of every minute. */
const RETRY_SCALE = 0.015
const PROBE_EVERY_MS = 60_000 * RETRY_SCALE
const PROBES = 2
const LONG = { timeout: 60_000, interval: 20 }

/** Starts a server that sends through a service and another one. */
async function start(
  [provider, otherProvider]: readonly [ProviderName, ProviderName],
  onTestFinished: TestContext['onTestFinished'],
) {
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

/** Counts the refusals of the provider's credential in the log: one for each batch with a refused request. */
class RefusalLog {
  readonly log: DestinationStream
  count = 0
  #onCount: (() => void) | undefined

  constructor(provider: ProviderName) {
    this.log = keepLines((line) => {
      const { provider: named, reason } = JSON.parse(line)
      if (named !== provider || reason === undefined) return
      this.count++
      this.#onCount?.()
    })
  }

  /** Resolves when there are `count` refusals, and calls `then` before another batch can be claimed. */
  reach(count: number, then: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.#onCount = () => {
        if (this.count < count) return
        this.#onCount = undefined
        then()
        resolve()
      }
      this.#onCount()
    })
  }
}

async function send(server: TestAssembly, { recipient, notification }: PushService): Promise<void> {
  const answer = await server.post('/send_push_notification', { recipient: recipient(PUSHES), notification })
  expect(await answer.json()).toMatchObject({ result: {} })
}

const PAIRS: readonly (readonly [ProviderName, ProviderName])[] = [
  ['fcm', 'apns'],
  ['apns', 'fcm'],
  ['hms', 'fcm'],
  ['webpush', 'fcm'],
]

test.for(PAIRS)(
  'a revoked credential of %s pauses only that provider, is probed at intervals, and loses no push',
  async (pair, { onTestFinished }) => {
    const [provider] = pair
    const { service, other, refusals, server, queue } = await start(pair, onTestFinished)
    const isPaused = async () => (await queue.stats()).pauses.some((pause) => pause.provider === provider)
    await send(server, service)
    await service.waitForAccepted(500)
    service.revoke()
    // The first refused batch pauses the provider before it is stored again.
    await vi.waitFor(() => expect(refusals.count).toBeGreaterThan(0), LONG)
    expect(await isPaused()).toBe(true)

    await send(server, other)
    await other.waitForAccepted(PUSHES)

    // Batches in flight are refused too.
    await vi.waitFor(async () => expect((await queue.stats()).inFlight.get(provider) ?? 0).toBe(0), LONG)
    const [sinceMs, before] = [Date.now(), refusals.count]
    let acceptedBefore = 0
    await refusals.reach(before + PROBES, () => {
      acceptedBefore = service.accepted().length
      service.restore()
    })
    expect(PROBES).toBeLessThanOrEqual((Date.now() - sinceMs) / PROBE_EVERY_MS + 1)
    expect(acceptedBefore).toBeLessThan(PUSHES)

    await service.waitForAccepted(PUSHES)
    await vi.waitFor(async () => expect(await isPaused()).toBe(false), LONG)
    // The first probe with the restored credential is accepted.
    expect(refusals.count).toBe(before + PROBES)
    expect(new Set(service.accepted().map(({ target }) => target)).size).toBe(PUSHES)
    expect(service.accepted()).toHaveLength(PUSHES)
    expect((await queue.stats()).deadLetters).toBe(0)
  },
)
