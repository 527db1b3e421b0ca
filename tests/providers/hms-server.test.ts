// HMS through the whole server: pushes to the simulator, and removed devices.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startHmsSimulator, type TestHmsSimulator } from '../support/hms-simulator.ts'

/** The default of a second is too short on a busy machine. */
const POLL = { timeout: 15_000 }
const MESSAGE = '{"data":"x"}'

let database: TestDatabase
let hms: TestHmsSimulator
let server: TestAssembly

beforeEach(async () => {
  ;[database, hms] = await Promise.all([createTestDatabase(), startHmsSimulator()])
  const { app, origin, authEndpoint, files } = hms.simulator
  server = await startAssembly(database.dsn, {
    push_notifications: {
      hms: {
        app_id: app.id,
        app_secret: app.secret,
        push_endpoint: origin,
        auth_endpoint: authEndpoint,
        ca_file: files.ca,
      },
    },
    worker: { retry_scale: 0.001, lease: '2s', heartbeat: '200ms' },
  })
})
afterEach(async () => {
  await server.stop(1000)
  await hms.stop()
  await database.drop()
})

async function call(method: string, request: object): Promise<Record<string, unknown>> {
  const answer = await server.post(`/${method}`, request)
  const { error, result } = JSON.parse(await answer.text())
  expect(error).toBeUndefined()
  return result
}

function push(recipient: object): Promise<Record<string, unknown>> {
  return call('send_push_notification', { recipient, notification: { hms: { message: JSON.parse(MESSAGE) } } })
}

async function listTokens(): Promise<unknown[]> {
  const { items } = await call('device_list', {})
  return Array.isArray(items) ? items.map((item) => item.token).sort() : []
}

test('a partial success removes the devices of illegal tokens and no others, and nothing is sent twice', async () => {
  for (const token of ['a', 'illegal-1', 'b', 'illegal-2']) {
    await call('device_register', { provider: 'hms', platform: 'android', token, user: 'u' })
  }
  await push({ filter: { users: ['u'] } })
  await expect.poll(listTokens, POLL).toEqual(['a', 'b'])
  expect(hms.simulator.accepted.map(({ target, body }) => [target, body]).sort()).toEqual([
    ['a', MESSAGE],
    ['b', MESSAGE],
  ])
  expect(hms.simulator.sendRequests).toBe(1)
})

test('no device is removed if all tokens of a request are invalid, because the app may be wrong', async () => {
  for (const token of ['illegal-1', 'illegal-2']) {
    await call('device_register', { provider: 'hms', platform: 'android', token, user: 'u' })
  }
  await push({ filter: { users: ['u'] } })
  const metrics = async () => (await fetch(`${server.url}/metrics`)).text()
  await expect.poll(metrics, POLL).toContain('err_code="80300007"')
  expect(await listTokens()).toEqual(['illegal-1', 'illegal-2'])
})

test('pushes to raw tokens, topics and conditions arrive', async () => {
  await push({ hms_tokens: ['raw'] })
  await push({ hms_topic: 'news' })
  await push({ hms_condition: `'a' in topics` })
  await hms.simulator.waitForAccepted(3)
  const accepted = hms.simulator.accepted.map(({ target_kind, target }) => `${target_kind} ${target}`)
  expect(accepted.sort()).toEqual([`condition 'a' in topics`, 'token raw', 'topic news'])
})

test('a request that failed is sent again completely, and once', async () => {
  await push({ hms_tokens: ['a', 'internal-once-1', 'b'] })
  await hms.simulator.waitForAccepted(3)
  expect(hms.simulator.accepted.map(({ target }) => target).sort()).toEqual(['a', 'b', 'internal-once-1'])
  expect(hms.simulator.sendRequests).toBe(2)
})
