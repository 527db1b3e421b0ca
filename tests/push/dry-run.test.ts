import { expect, test, vi } from 'vitest'
import { startAssembly } from '../support/assembly.ts'
import { createTestDatabase } from '../support/database.ts'
import { startFcmSimulator } from '../support/fcm-simulator.ts'

test('with dry_run nothing is sent, credentials or not', async () => {
  const [database, fcm] = await Promise.all([createTestDatabase(), startFcmSimulator()])
  const { origin, files } = fcm.simulator
  const server = await startAssembly(database.dsn, {
    push_notifications: {
      dry_run: true,
      fcm: { credentials_file: files.credentials, ca_file: files.ca, push_endpoint: origin, auth_endpoint: origin },
    },
  })
  const send = { uid: 'dry', recipient: { fcm_tokens: ['t'] }, notification: { fcm: { message: {} } } }
  expect(await (await server.post('/send_push_notification', send)).json()).toEqual({ result: { uid: 'dry' } })
  await vi.waitFor(async () => {
    const [row] = await database.sql`select content is null as ended from push_sends where uid = 'dry'`
    expect(row).toEqual({ ended: true })
  })
  expect(fcm.simulator.accepted).toEqual([])
  await server.stop(0)
  await fcm.stop()
  await database.drop()
})
