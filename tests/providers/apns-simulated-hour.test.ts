// One simulated hour of four servers that share a provider token. The simulator enforces the limits of APNs for its
// age.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runTransaction } from '../../src/database/transaction.ts'
import { ApnsProvider } from '../../src/providers/apns/apns.ts'
import { PostgresCredentialCache } from '../../src/providers/credential-cache-postgres.ts'
import { makeDeviceToken } from '../../src/simulators/apns/device-name.ts'
import { startApnsSimulator, type TestApnsSimulator } from '../support/apns-simulator.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { kindsOf, sendBatch } from '../support/send-batch.ts'

const MINUTE_MS = 60_000
const SERVERS = 4

const clock = { nowMs: Date.parse('2026-03-01T00:00:00Z') }
const nowMs = () => clock.nowMs
let database: TestDatabase
let apns: TestApnsSimulator

beforeAll(async () => {
  ;[database, apns] = await Promise.all([createTestDatabase(), startApnsSimulator({ nowMs })])
})
afterAll(async () => {
  await apns.stop()
  await database.drop()
})

/** A provider with the same cache, as in another process. */
function startServer(): ApnsProvider {
  return new ApnsProvider({
    endpoint: apns.simulator.origin,
    bundleId: apns.simulator.account.bundleId,
    auth: {
      kind: 'token',
      key: apns.key,
      cache: new PostgresCredentialCache({ runTransaction: (work) => runTransaction(database.sql, work) }),
    },
    ca: apns.ca,
    logger: makeTestLogger(),
    nowMs,
  })
}

it('uses three provider tokens at most, and no push is refused, if a server restarts every two minutes', async () => {
  const servers = Array.from({ length: SERVERS }, startServer)
  const notification = { json: Buffer.from('{"aps":{"alert":"hi"}}'), headers: new Map<string, string>() }
  for (let minute = 0; minute <= 60; minute++, clock.nowMs += MINUTE_MS) {
    if (minute % 2 === 0) {
      const index = (minute / 2) % SERVERS
      await servers[index]?.close()
      servers[index] = startServer()
    }
    const batch = {
      uid: `u-${minute}`,
      notification,
      targetKind: 'token' as const,
      targets: ['a-1', 'b-1'].map(makeDeviceToken),
    }
    const sends = await Promise.all(servers.map((server) => sendBatch(server, batch)))
    for (const outcomes of sends) expect([minute, kindsOf(outcomes)]).toEqual([minute, ['sent']])
  }
  expect(apns.simulator.providerTokens.length).toBeLessThanOrEqual(3)
  await Promise.all(servers.map((server) => server.close()))
})
