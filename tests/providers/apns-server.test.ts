// APNs through the whole server, while the key is revoked and restored.
import { randomUUID } from 'node:crypto'
import { afterEach, expect, it, vi } from 'vitest'
import { startApnsSimulator, type TestApnsSimulator } from '../support/apns-simulator.ts'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

const BATCH_SIZE = 500
const TIMEOUT_MS = 120_000

const toStop: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const stop of toStop.splice(0).reverse()) await stop()
})

function deviceTokens(count: number): string[] {
  return Array.from({ length: count }, (_, i) => i.toString(16).padStart(64, '0'))
}

/** Starts the whole server; it sends only to the simulator. */
async function startServer(apns: TestApnsSimulator): Promise<{ server: TestAssembly; database: TestDatabase }> {
  const database = await createTestDatabase()
  toStop.push(() => database.drop())
  const { simulator } = apns
  const { bundleId, keyId, teamId } = simulator.account
  const server = await startAssembly(database.dsn, {
    push_notifications: {
      enabled_providers: ['apns'],
      apns: {
        endpoint: simulator.origin,
        bundle_id: bundleId,
        auth_type: 'token',
        token_key_file: simulator.files.tokenKey,
        token_key_id: keyId,
        token_team_id: teamId,
        tokens_batch_size: BATCH_SIZE,
        ca_file: simulator.files.ca,
      },
    },
    worker: { retry_scale: 0.01 },
  })
  toStop.push(() => server.stop(5000))
  return { server, database }
}

async function sendTo(server: TestAssembly, apns_tokens: string[]): Promise<void> {
  const notification = { apns: { payload: { aps: { alert: 'hi' } } } }
  const body = { uid: randomUUID(), recipient: { apns_tokens }, notification }
  const answer = await server.post('/send_push_notification', body)
  expect(await answer.json()).toMatchObject({ result: {} })
}

/** The number of finished targets, sent and others. */
async function countFinished(server: TestAssembly): Promise<{ sent: number; others: number }> {
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  let sent = 0
  let others = 0
  for (const line of metrics.split('\n')) {
    const count = Number(line.split(' ').at(-1))
    if (/^centrifugo_push_notification_count\{.*success="true"/.test(line)) sent += count
    else if (/^(centrifugo_push_notification_count|centripush_push_unsent\w*)\{/.test(line)) others += count
  }
  return { sent, others }
}

async function waitForFinished(server: TestAssembly, count: number): Promise<{ sent: number; others: number }> {
  return vi.waitFor(
    async () => {
      const finished = await countFinished(server)
      expect(finished.sent + finished.others).toBe(count)
      return finished
    },
    { timeout: TIMEOUT_MS, interval: 200 },
  )
}

it(
  'keeps all pushes while the key is revoked, and sends them when it is restored',
  async () => {
    const apns = await startApnsSimulator()
    toStop.push(() => apns.stop())
    const { server } = await startServer(apns)
    const tokens = deviceTokens(4000)
    apns.simulator.revokeKey()
    await sendTo(server, tokens)
    await vi.waitFor(() => expect(apns.simulator.requests).toBeGreaterThan(0), { timeout: 10_000 })
    apns.simulator.restoreKey()
    expect(await waitForFinished(server, tokens.length)).toEqual({ sent: tokens.length, others: 0 })
    expect(apns.simulator.accepted.map(({ target }) => target).sort()).toEqual(tokens)
  },
  TIMEOUT_MS,
)
