// docs/notifications.md: pushes to tokens that APNs does not know.
import { makeDeviceToken } from '../../../src/simulators/apns/device-name.ts'
import { startApnsSimulator } from '../../support/apns-simulator.ts'
import type { RunningParts } from './parts.ts'
import { call, callAll, type PreparedServer, prepareServer } from './server.ts'

export async function prepareNotifications(running: RunningParts): Promise<PreparedServer> {
  const { simulator } = await running.add(startApnsSimulator(), (apns) => apns.stop())
  const { origin, files, account } = simulator
  const apns = {
    endpoint: origin,
    bundle_id: account.bundleId,
    auth_type: 'token',
    token_key_file: files.tokenKey,
    token_key_id: account.keyId,
    token_team_id: account.teamId,
    ca_file: files.ca,
  }
  const prepared = await prepareServer(running, { push_notifications: { apns } })
  const tokens = [1, 2, 3].map((number) => makeDeviceToken(`baddevicetoken-${number}`))
  const devices = tokens.map((token) => ({ provider: 'apns', platform: 'ios', token, user: '42' }))
  await callAll(
    prepared.server,
    devices.map((device_register) => ({ device_register })),
  )
  const notification = { apns: { payload: { aps: { alert: 'Hello' } } } }
  await call(prepared.server, 'send_push_notification', { recipient: { filter: { users: ['42'] } }, notification })
  return prepared
}
