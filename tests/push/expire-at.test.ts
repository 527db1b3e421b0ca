// https://centrifugal.dev/docs/pro/push_notifications: expire_at "does not relate to notification TTL fields".
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startFcmSimulator, type TestFcmSimulator } from '../support/fcm-simulator.ts'
import { startWebPushSimulator, type TestWebPushSimulator } from '../support/webpush-simulator.ts'

let database: TestDatabase
let fcm: TestFcmSimulator
let service: TestWebPushSimulator
let server: TestAssembly

beforeEach(async () => {
  ;[database, fcm, service] = await Promise.all([createTestDatabase(), startFcmSimulator(), startWebPushSimulator()])
  const { origin, files } = fcm.simulator
  server = await startAssembly(database.dsn, {
    push_notifications: {
      fcm: { credentials_file: files.credentials, ca_file: files.ca, push_endpoint: origin, auth_endpoint: origin },
      webpush: {
        vapid_public_key: service.simulator.vapidKeys.publicKey,
        vapid_private_key: service.simulator.vapidKeys.privateKey,
        subject: 'mailto:push@example.com',
        allowed_endpoint_origins: [service.simulator.origin],
        private_endpoint_networks: '127.0.0.0/8',
        ca_file: service.simulator.files.ca,
      },
    },
  })
})
afterEach(async () => {
  await server.stop(1000)
  await Promise.all([fcm.stop(), service.stop()])
  await database.drop()
})

async function push(recipient: object, notification: object): Promise<void> {
  const expire_at = Math.floor(Date.now() / 1000) + 60
  const answer = await server.post('/send_push_notification', {
    recipient,
    notification: { ...notification, expire_at },
  })
  expect(await answer.json()).toMatchObject({ result: { uid: expect.any(String) } })
}

test('expire_at limits the attempts, and does not change how long a provider keeps the message', async () => {
  const message = { android: { ttl: '3600s' }, apns: { headers: { 'apns-expiration': '0' } } }
  await push({ fcm_tokens: ['t'] }, { fcm: { message } })
  await push({ webpush_tokens: [service.simulator.subscribe('b')] }, { webpush: { payload: {} } })
  await Promise.all([fcm.simulator.waitForAccepted(1), service.simulator.waitForAccepted(1)])
  expect(fcm.simulator.accepted.map(({ body }) => JSON.parse(body).message)).toEqual([{ token: 't', ...message }])
  expect(service.simulator.accepted.map(({ ttl }) => ttl)).toEqual([2_419_200])
})
