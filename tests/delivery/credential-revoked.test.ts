// A credential that its owner revokes while pushes are on their way, and mends.
import { randomUUID } from 'node:crypto'
import { expect, onTestFinished, test, vi } from 'vitest'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { startApnsSimulator } from '../support/apns-simulator.ts'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { createTestDatabase } from '../support/database.ts'
import { startFcmSimulator } from '../support/fcm-simulator.ts'
import { makeTestLogger } from '../support/run-log.ts'

const PUSHES = 10_000
/** Of the delays of production, so that tried once a minute is once in 2.4 s; work is looked for twice a second. */
const RETRY_SCALE = 0.04
const PROBE_EVERY_MS = 60_000 * RETRY_SCALE
const PROBES = 3
const LONG = { timeout: 60_000, interval: 20 }

async function start() {
  const database = await createTestDatabase()
  const [fcm, apns] = await Promise.all([startFcmSimulator(), startApnsSimulator()])
  const { bundleId, keyId, teamId } = apns.simulator.account
  const { origin, files } = fcm.simulator
  const server = await startAssembly(database.dsn, {
    push_notifications: {
      enabled_providers: ['fcm', 'apns'],
      fcm: { credentials_file: files.credentials, push_endpoint: origin, auth_endpoint: origin, ca_file: files.ca },
      apns: {
        endpoint: apns.simulator.origin,
        bundle_id: bundleId,
        auth_type: 'token',
        token_key_file: apns.simulator.files.tokenKey,
        token_key_id: keyId,
        token_team_id: teamId,
        ca_file: apns.simulator.files.ca,
      },
    },
    worker: { retry_scale: RETRY_SCALE },
  })
  const queue = new PostgresQueue({
    sql: database.sql,
    logger: makeTestLogger(),
    leaseMs: 15_000,
    maxJobs: 1000,
  })
  onTestFinished(async () => {
    await queue.close()
    await server.stop(5000)
    await Promise.all([fcm.stop(), apns.stop()])
    await database.drop()
  }, 60_000)
  return { fcm: fcm.simulator, apns: apns.simulator, server, queue }
}

async function send(server: TestAssembly, recipient: object, notification: object): Promise<void> {
  const answer = await server.post('/send_push_notification', { uid: randomUUID(), recipient, notification })
  expect(await answer.json()).toMatchObject({ result: {} })
}

test('a credential that is revoked stops its provider alone, is tried now and then, and loses nothing', async () => {
  const { fcm, apns, server, queue } = await start()
  const isPaused = async () => (await queue.stats()).pauses.some(({ provider }) => provider === 'fcm')
  const fcmTokens = Array.from({ length: PUSHES }, (_, i) => `token-${i}`)
  const apnsTokens = Array.from({ length: PUSHES }, (_, i) => i.toString(16).padStart(64, '0'))
  await send(server, { fcm_tokens: fcmTokens }, { fcm: { message: {} } })
  await fcm.waitForAccepted(1000)
  fcm.setAccountDisabled(true)
  await vi.waitFor(async () => expect(await isPaused()).toBe(true), LONG)

  await send(server, { apns_tokens: apnsTokens }, { apns: { payload: { aps: { alert: 'a' } } } })
  await apns.waitForAccepted(PUSHES)

  const sinceMs = Date.now()
  const exchangesBefore = fcm.tokenRequests
  await vi.waitFor(() => expect(fcm.tokenRequests).toBeGreaterThanOrEqual(exchangesBefore + PROBES), LONG)
  const probes = fcm.tokenRequests - exchangesBefore
  expect(probes).toBeLessThanOrEqual((Date.now() - sinceMs) / PROBE_EVERY_MS + 1)
  expect(fcm.accepted.length).toBeLessThan(PUSHES)

  fcm.setAccountDisabled(false)
  await fcm.waitForAccepted(PUSHES)
  await vi.waitFor(async () => expect(await isPaused()).toBe(false), LONG)
  expect(new Set(fcm.accepted.map(({ target }) => target)).size).toBe(PUSHES)
  expect(fcm.accepted).toHaveLength(PUSHES)
  expect((await queue.stats()).deadLetters).toBe(0)
})
