// Web Push through the whole server, to the subscriptions of registered devices and to raw subscriptions.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startWebPushSimulator, type TestWebPushSimulator } from '../support/webpush-simulator.ts'

/** The default of a second is too short on a busy machine. */
const POLL = { timeout: 15_000 }
const PAYLOAD = '{"title":"hi","n":12345678901234567890}'

let database: TestDatabase
let service: TestWebPushSimulator
let server: TestAssembly

beforeEach(async () => {
  ;[database, service] = await Promise.all([createTestDatabase(), startWebPushSimulator()])
  server = await startServer()
})
afterEach(async () => {
  await server.stop(1000)
  await service.stop()
  await database.drop()
})

function startServer(change: object = {}): Promise<TestAssembly> {
  const { origin, vapidKeys, files } = service.simulator
  const webpush = {
    vapid_public_key: vapidKeys.publicKey,
    vapid_private_key: vapidKeys.privateKey,
    subject: 'mailto:push@example.com',
    allowed_endpoint_origins: [origin],
    private_endpoint_networks: '127.0.0.0/8',
    ca_file: files.ca,
    ...change,
  }
  const options = { push_notifications: { webpush }, worker: { retry_scale: 0.001 } }
  return startAssembly(database.dsn, options)
}

async function call(
  method: string,
  request: object,
): Promise<{ result?: Record<string, unknown>; error?: { code: number } }> {
  const answer = await server.post(`/${method}`, request)
  return JSON.parse(await answer.text())
}

async function register(name: string, user: string): Promise<void> {
  const token = service.simulator.subscribe(name)
  const { error } = await call('device_register', { provider: 'webpush', platform: 'web', token, user })
  expect(error).toBeUndefined()
}

async function push(recipient: object): Promise<void> {
  const webpush = `{"headers":{"TTL":"60"},"payload":${PAYLOAD}}`
  const body = `{"recipient":${JSON.stringify(recipient)},"notification":{"webpush":${webpush}}}`
  const answer = await server.post('/send_push_notification', body)
  expect(JSON.parse(await answer.text())).toEqual({ result: { uid: expect.any(String) } })
}

async function listDevices(): Promise<unknown> {
  const { result } = await call('device_list', {})
  return result?.items
}

function acceptedNames(): string[] {
  return service.simulator.accepted.map(({ target }) => target).sort()
}

test('sends payloads that the browsers of a filter can decrypt', async () => {
  for (let i = 0; i < 12; i++) await register(`browser-${i}`, `user-${i % 3}`)
  await push({ filter: { users: ['user-1', 'user-2'] } })
  await service.simulator.waitForAccepted(8)
  expect(acceptedNames()).toEqual(['1', '10', '11', '2', '4', '5', '7', '8'].map((i) => `browser-${i}`).sort())
  for (const { body, ttl } of service.simulator.accepted) expect([body, ttl]).toEqual([PAYLOAD, 60])
})

test('sends to more raw subscriptions than fit into a batch', async () => {
  const names = Array.from({ length: 250 }, (_, i) => `raw-${i}`)
  await push({ webpush_tokens: names.map((name) => service.simulator.subscribe(name)) })
  await service.simulator.waitForAccepted(250)
  expect(acceptedNames()).toEqual(names.sort())
})

test('retries a subscription whose push service was unavailable, and no other', async () => {
  await push({ webpush_tokens: ['a', 'unavailable-once-1', 'b'].map((name) => service.simulator.subscribe(name)) })
  await service.simulator.waitForAccepted(3)
  expect(acceptedNames()).toEqual(['a', 'b', 'unavailable-once-1'])
})

test('removes the device whose subscription is gone, and no other', async () => {
  for (const name of ['a', 'gone-1', 'forbidden-1', 'b']) await register(name, 'u')
  await push({ filter: { users: ['u'] } })
  await service.simulator.waitForAccepted(2)
  await expect.poll(listDevices, POLL).toHaveLength(3)
  expect(JSON.stringify(await listDevices())).not.toContain('gone-1')
})

test('refuses raw subscriptions that are not valid or whose origin is not allowed', async () => {
  const good = service.simulator.subscribe('a')
  for (const token of [
    'no JSON',
    '{}',
    good.replace('https://localhost', 'https://example.com'),
    good.replace('"B', '"C'),
  ]) {
    const recipient = { webpush_tokens: [good, token] }
    const { error } = await call('send_push_notification', { recipient, notification: { webpush: { payload: {} } } })
    expect([token, error?.code]).toEqual([token, 107])
  }
  await push({ webpush_tokens: [good] })
  await service.simulator.waitForAccepted(1)
})

test('sends nothing to a private address outside the configured networks', async () => {
  await server.stop(1000)
  server = await startServer({ private_endpoint_networks: [] })
  await push({ webpush_tokens: [service.simulator.subscribe('a')] })
  const metrics = async () => (await fetch(`${server.url}/metrics`)).text()
  await expect.poll(metrics, POLL).toContain('err_code="address_refused"')
  expect([service.simulator.pushRequests, service.simulator.connectionsOpened]).toEqual([0, 0])
})

test('does not start with keys that are not a pair, or with other wrong options', async () => {
  await expect(startServer({ vapid_public_key: 'AAAA' })).rejects.toThrow('push_notifications.webpush.vapid_public_key')
  await expect(startServer({ subject: 'mailto: <push@example.com>' })).rejects.toThrow(
    'push_notifications.webpush.subject',
  )
  await expect(startServer({ private_endpoint_networks: ['10.0.0.0/33'] })).rejects.toThrow('private_endpoint_networks')
})
