import * as v from 'valibot'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startFcmSimulator, type TestFcmSimulator } from '../support/fcm-simulator.ts'

const Registered = v.object({ result: v.object({ id: v.string() }) })

let database: TestDatabase
let fcm: TestFcmSimulator
let server: TestAssembly
const ids = new Map<string, string>()

beforeAll(async () => {
  ;[database, fcm] = await Promise.all([createTestDatabase(), startFcmSimulator()])
  const { origin, files } = fcm.simulator
  const credentials = { credentials_file: files.credentials, ca_file: files.ca }
  server = await startAssembly(database.dsn, {
    push_notifications: { fcm: { ...credentials, push_endpoint: origin, auth_endpoint: origin } },
  })
  for (const [token, user] of [
    ['ann-phone', 'ann'],
    ['ann-tablet', 'ann'],
    ['bob-phone', 'bob'],
    ['bob-tablet', 'bob'],
  ] as const) {
    const device = { provider: 'fcm', platform: 'android', token, user, topics: ['news'] }
    ids.set(token, v.parse(Registered, await call('device_register', device)).result.id)
  }
})
afterAll(async () => {
  await server.stop(0)
  await fcm.stop()
  await database.drop()
})

async function call(method: string, body: object) {
  return (await server.post(`/${method}`, body)).json()
}

/** Sends to all four devices in a second, so that calls in that second precede the delivery. */
async function sendSoon(uid: string): Promise<void> {
  const notification = { fcm: { message: { data: { uid } } } }
  const send = { uid, recipient: { filter: { topics: ['news'] } }, notification }
  expect(await call('send_push_notification', { ...send, send_at: Math.floor(Date.now() / 1000) + 1 })).toEqual({
    result: { uid },
  })
}

async function waitForTargets(count: number, before: number): Promise<string[]> {
  await fcm.simulator.waitForAccepted(before + count)
  // This send is delivered last, so no other push can follow it.
  await call('send_push_notification', {
    recipient: { fcm_tokens: ['sentinel'] },
    notification: { fcm: { message: {} } },
  })
  await fcm.simulator.waitForAccepted(before + count + 1)
  return fcm.simulator.accepted
    .slice(before)
    .map(({ target }) => target)
    .filter((target) => target !== 'sentinel')
    .toSorted()
}

test('cancel_push for a user excludes all devices of that user, and no others', async () => {
  const before = fcm.simulator.accepted.length
  await sendSoon('acknowledged')
  expect(await call('cancel_push', { uid: 'acknowledged', user: 'ann' })).toEqual({ result: {} })
  expect(await waitForTargets(2, before)).toEqual(['bob-phone', 'bob-tablet'])
})

test('cancel_push for a device excludes only that device, and none if it belongs to another user', async () => {
  const before = fcm.simulator.accepted.length
  await sendSoon('one-device')
  expect(await call('cancel_push', { uid: 'one-device', device_id: ids.get('ann-phone') })).toEqual({ result: {} })
  const wrong = { uid: 'one-device', device_id: ids.get('bob-phone'), user: 'ann' }
  expect(await call('cancel_push', wrong)).toEqual({ result: {} })
  expect(await waitForTargets(3, before)).toEqual(['ann-tablet', 'bob-phone', 'bob-tablet'])
})

test('cancel_push before its send applies to the send', async () => {
  const before = fcm.simulator.accepted.length
  expect(await call('cancel_push', { uid: 'overtaken', user: 'bob' })).toEqual({ result: {} })
  await sendSoon('overtaken')
  expect(await waitForTargets(2, before)).toEqual(['ann-phone', 'ann-tablet'])
})

test.each([
  ['an invalid device id', { uid: 'u', device_id: 'x' }],
  ['a user with a control character', { uid: 'u', user: 'a\tb' }],
  ['no uid', { user: 'ann' }],
])('%s is a bad request', async (_, body) => {
  expect(await call('cancel_push', body)).toEqual({ error: { code: 107, message: 'bad request' } })
})
