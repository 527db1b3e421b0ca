// Devices that register with a Firebase installation id in place of a registration token: FCM gets it as `fid`.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startFcmSimulator, type TestFcmSimulator } from '../support/fcm-simulator.ts'

const FID = 'd_installation-AAAAAAA'
const GONE = 'f'.repeat(22)
const TOKEN = `${FID}:APA91b${'x'.repeat(134)}`

/** No request gets a fault until the share is changed. */
const misbehaviour = { share: 0, words: ['unregistered'] }

let database: TestDatabase
let fcm: TestFcmSimulator
let server: TestAssembly

beforeAll(async () => {
  database = await createTestDatabase()
  fcm = await startFcmSimulator({ misbehaviour })
  const { origin, files } = fcm.simulator
  const section = {
    credentials_file: files.credentials,
    push_endpoint: origin,
    auth_endpoint: origin,
    ca_file: files.ca,
  }
  server = await startAssembly(database.dsn, { push_notifications: { fcm: section } })
})
afterAll(async () => {
  await server.stop(0)
  await fcm.stop()
  await database.drop()
})

async function post(path: string, request: object): Promise<void> {
  expect(await (await server.post(path, request)).json()).toHaveProperty('result')
}

const register = (token: string) => post('/device_register', { provider: 'fcm', platform: 'android', token, user: 'u' })

function acceptedTargets(): unknown[] {
  return fcm.simulator.accepted.map(({ target_kind, target }) => [target_kind, target])
}

test('an installation id is sent as fid, a token as token, and a target of the caller is dropped', async () => {
  const message = { fid: GONE, token: 'mine', topic: 'mine', data: { a: 'b' } }
  await register(FID)
  await register(TOKEN)
  await post('/send_push_notification', { recipient: { filter: { users: ['u'] } }, notification: { fcm: { message } } })
  await fcm.simulator.waitForAccepted(2)
  await post('/send_push_notification', { recipient: { fcm_tokens: [FID, TOKEN] }, notification: { fcm: { message } } })
  await fcm.simulator.waitForAccepted(4)
  const expected = [
    ['fid', FID],
    ['token', TOKEN],
  ]
  expect(acceptedTargets().toSorted()).toEqual([...expected, ...expected].toSorted())
  expect(fcm.simulator.accepted.map(({ body }) => body)).toContain(`{"message":{"fid":"${FID}","data":{"a":"b"}}}`)
})

test('a device whose installation id FCM calls unregistered is removed', async () => {
  await register(GONE)
  misbehaviour.share = 1
  await post('/send_push_notification', {
    recipient: { filter: { users: ['u'] } },
    notification: { fcm: { message: {} } },
  })
  await vi.waitFor(async () => {
    expect(await database.sql`select token from devices`).toEqual([])
  })
})
