// docs/reports.md: the campaign of its example, with 1,000 devices and the reports of their apps.
import * as v from 'valibot'
import { vi } from 'vitest'
import { startFcmSimulator } from '../../support/fcm-simulator.ts'
import type { RunningParts } from './parts.ts'
import { call, callAll, type PreparedServer, prepareServer } from './server.ts'

const Report = v.object({ state: v.string(), delivered: v.optional(v.number()), interacted: v.optional(v.number()) })
const LONG = { timeout: 60_000, interval: 100 }
const uid = 'campaign-7'

export async function prepareReports(running: RunningParts): Promise<PreparedServer> {
  const { simulator } = await running.add(startFcmSimulator(), (fcm) => fcm.stop())
  const { origin, files } = simulator
  const fcm = { credentials_file: files.credentials, ca_file: files.ca, push_endpoint: origin, auth_endpoint: origin }
  const prepared = await prepareServer(running, { push_notifications: { fcm } })
  const { server } = prepared
  const register = (provider: string, platform: string, count: number, name: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => ({
      device_register: { provider, platform, token: name(index), topics: ['news'] },
    }))
  await callAll(server, [
    ...register('fcm', 'android', 950, (index) => `phone-${index}`),
    ...register('fcm', 'android', 30, (index) => `unregistered-${index}`),
    ...register('apns', 'ios', 20, (index) => String(index).padStart(64, '0')),
  ])
  const notification = { fcm: { message: { notification: { title: 'News' } } } }
  await call(server, 'send_push_notification', { uid, recipient: { filter: { topics: ['news'] } }, notification })
  const report = (status: string, count: number) =>
    Array.from({ length: count }, (_, index) => ({
      update_push_status: { analytics_uid: uid, status, device_id: `device-${index}` },
    }))
  await callAll(server, [...report('delivered', 612), ...report('interacted', 88)])
  await vi.waitFor(async () => {
    const { state, delivered, interacted } = v.parse(Report, await call(server, 'push_info', { uid }))
    if (`${state} ${delivered} ${interacted}` !== 'ended 612 88') throw new Error('not all reports are counted')
  }, LONG)
  return prepared
}
