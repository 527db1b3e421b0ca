import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startAssembly } from '../support/assembly.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startFcmSimulator, type TestFcmSimulator } from '../support/fcm-simulator.ts'

let database: TestDatabase
let fcm: TestFcmSimulator

beforeEach(async () => {
  ;[database, fcm] = await Promise.all([createTestDatabase(), startFcmSimulator()])
})
afterEach(async () => {
  await fcm.stop()
  await database.drop()
})

/** Starts a server with credentials. Without `dry_run` it would send. */
function startServer(dryRun: object) {
  const { origin, files } = fcm.simulator
  return startAssembly(database.dsn, {
    push_notifications: {
      ...dryRun,
      fcm: { credentials_file: files.credentials, ca_file: files.ca, push_endpoint: origin, auth_endpoint: origin },
    },
  })
}

const SEND = { uid: 'dry', recipient: { fcm_tokens: ['t'] }, notification: { fcm: { message: {} } } }

test('with dry_run nothing is sent, even with credentials', async () => {
  const server = await startServer({ dry_run: true })
  expect(await (await server.post('/send_push_notification', SEND)).json()).toEqual({ result: { uid: 'dry' } })
  await vi.waitFor(async () => {
    const [row] = await database.sql`select content is null as ended from push_sends where uid = 'dry'`
    expect(row).toEqual({ ended: true })
  })
  expect(fcm.simulator.accepted).toEqual([])
  await server.stop(0)
})

test('with dry_run_latency a batch is in flight for that time, as if it were sent', async () => {
  const server = await startServer({ dry_run: true, dry_run_latency: '1h' })
  await server.post('/send_push_notification', SEND)
  const metrics = async () => (await fetch(`${server.url}/metrics`)).text()
  await expect.poll(metrics).toMatch(/centrifugo_push_consuming_inflight_jobs\{provider="fcm",[^}]*\} 1/)
  await server.stop(0)
  const [row] = await database.sql`select content is null as ended from push_sends where uid = 'dry'`
  expect(row).toEqual({ ended: false })
})
