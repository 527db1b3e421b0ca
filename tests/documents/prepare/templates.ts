// docs/templates.md: a device with a name, a locale and a time zone.
import type { RunningParts } from './parts.ts'
import { call, type PreparedServer, prepareServer } from './server.ts'

export async function prepareTemplates(running: RunningParts): Promise<PreparedServer> {
  const prepared = await prepareServer(running)
  const meta = { first_name: 'Ada', plan: 'basic' }
  const device = { provider: 'fcm', platform: 'android', token: 'phone-1', topics: ['news'], locale: 'pt-BR', meta }
  const id = '01KDQ2B0W8Z0Y0000000000000-fcm'
  await call(prepared.server, 'device_register', { ...device, id, user: '42', timezone: 'Asia/Kathmandu' })
  return prepared
}
