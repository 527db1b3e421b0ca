// explain_push gives the right first reason in each situation. All of them are made by calls of the API.
import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { openDatabase } from '../../src/database/pool.ts'
import { formatDeviceId, makeDeviceUuid } from '../../src/devices/device-id.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { type ExplainRig, startExplainRig, type Who } from './explain-rig.ts'

const HOUR_MS = 3_600_000
const APNS_BODY = { payload: { aps: { alert: 'Hello' } } }
const unixSeconds = (plusMs = 0) => Math.floor((Date.now() + plusMs) / 1000)
const unknownDevice = () => formatDeviceId(makeDeviceUuid(Date.now()), 'fcm')
const apnsToken = () => randomBytes(32).toString('hex')

let rig: ExplainRig
beforeAll(async () => {
  rig = await startExplainRig({ postgresql_analytics: { rows: 'all' } })
})
afterAll(() => rig.stop())

/** A send to a new device with this token. */
async function sendToToken(token: string, request = {}): Promise<Who> {
  const { device_id, topic } = await rig.register({ token })
  return { uid: await rig.send(topic, request), device_id }
}

/** Hours of the day in UTC that are closed now. */
function closedHours() {
  const hour = (plus: number) => `${String((new Date().getUTCHours() + plus) % 24).padStart(2, '0')}:00:00`
  return { send_after_time: hour(3), send_before_time: hour(5) }
}

const rateLimit = (more: object) => ({
  rate_limit: { key: '{{.device.user}}', policies: [{ rate: 1, interval_ms: HOUR_MS }], ...more },
})

/** Makes the situation, and returns the push to explain. */
const SITUATIONS: Record<string, { make: () => Promise<Who>; reason: string; detail?: RegExp }> = {
  'a send that was never accepted': {
    make: async () => ({ uid: randomUUID(), device_id: (await rig.register()).device_id }),
    reason: 'unknown_send',
  },
  'a device that was never registered': {
    make: async () => ({ uid: await rig.send((await rig.register()).topic), device_id: unknownDevice() }),
    reason: 'never_registered',
  },
  'a user without devices': {
    make: async () => ({ uid: await rig.send((await rig.register()).topic), user: 'nobody' }),
    reason: 'never_registered',
  },
  'a device with another topic': {
    make: async () => {
      const { topic } = await rig.register()
      return { uid: await rig.send(topic), device_id: (await rig.register()).device_id }
    },
    reason: 'not_a_recipient',
  },
  'a device that was registered after the send had ended': {
    make: async () => {
      const { topic, device_id } = await rig.register()
      const uid = await rig.send(topic)
      await rig.expectReason({ uid, device_id }, 'sent')
      // The times of devices have whole seconds.
      await vi.waitUntil(() => Date.now() % 1000 < 100, { interval: 20, timeout: 2000 })
      return { uid, device_id: (await rig.register()).device_id }
    },
    reason: 'registered_later',
  },
  'a send that is scheduled': {
    make: async () => {
      const { topic, user } = await rig.register()
      return { uid: await rig.send(topic, { send_at: unixSeconds(HOUR_MS) }), user }
    },
    reason: 'scheduled',
    detail: /^due 2/,
  },
  'a whole send that was cancelled': {
    make: async () => {
      const { topic, device_id } = await rig.register()
      const uid = await rig.send(topic, { send_at: unixSeconds(HOUR_MS) })
      await rig.call('cancel_push', { uid })
      return { uid, device_id }
    },
    reason: 'cancelled',
    detail: /whole send/,
  },
  'a send to raw tokens': {
    make: async () => ({
      uid: await rig.send('', { recipient: { fcm_tokens: [randomUUID()] } }),
      device_id: (await rig.register()).device_id,
    }),
    reason: 'other_address',
    detail: /^token$/,
  },
  'a send to a topic of FCM': {
    make: async () => ({
      uid: await rig.send('', { recipient: { fcm_topic: 'news' } }),
      device_id: (await rig.register()).device_id,
    }),
    reason: 'other_address',
    detail: /^news$/,
  },
  'a send without a notification for the provider of the device': {
    make: async () => {
      const { topic, device_id } = await rig.register({ provider: 'apns', token: apnsToken() })
      return { uid: await rig.send(topic), device_id }
    },
    reason: 'no_notification',
    detail: /^apns$/,
  },
  'a push over the rate limit that is dropped': {
    make: async () => {
      const { topic, user } = await rig.register()
      const limit_strategy = rateLimit({ drop_if_rate_limited: true })
      const first = await rig.send(topic, { limit_strategy })
      await rig.expectReason({ uid: first, user }, 'sent')
      return { uid: await rig.send(topic, { limit_strategy }), user }
    },
    reason: 'rate_limited',
  },
  'a push over the rate limit that is delayed': {
    make: async () => {
      const { topic, user } = await rig.register()
      const first = await rig.send(topic, { limit_strategy: rateLimit({}) })
      await rig.expectReason({ uid: first, user }, 'sent')
      return { uid: await rig.send(topic, { limit_strategy: rateLimit({}) }), user }
    },
    reason: 'rate_delayed',
  },
  'a device outside the hours of the send': {
    make: async () => {
      const { topic, device_id } = await rig.register({ timezone: 'UTC' })
      return { uid: await rig.send(topic, { limit_strategy: { time_limit: closedHours() } }), device_id }
    },
    reason: 'outside_hours',
    detail: /^until 2/,
  },
  'a device without a time zone': {
    make: async () => {
      const { topic, device_id } = await rig.register()
      return { uid: await rig.send(topic, { limit_strategy: { time_limit: closedHours() } }), device_id }
    },
    reason: 'no_timezone',
  },
  'a dead token': {
    make: () => sendToToken(`unregistered-${randomUUID()}`),
    reason: 'failed',
    detail: /^UNREGISTERED/,
  },
  'a device whose token was dead before the send': {
    make: async () => {
      const { device_id, topic } = await rig.register({ token: `unregistered-${randomUUID()}` })
      await rig.expectReason({ uid: await rig.send(topic), device_id }, 'failed')
      return { uid: await rig.send(topic), device_id }
    },
    reason: 'removed_before',
    detail: /^token gone/,
  },
  'a token of another project': {
    make: () => sendToToken(`senderid-${randomUUID()}`),
    reason: 'failed',
    detail: /^SENDER_ID_MISMATCH/,
  },
  'a payload that is too large': {
    make: async () => {
      const meta = { text: 'x'.repeat(2100) }
      const { topic, device_id } = await rig.register({ provider: 'apns', token: apnsToken(), meta })
      const apns = { payload: { aps: { alert: '{{.device.meta.text}}{{.device.meta.text}}' } } }
      return { uid: await rig.send(topic, { notification: { apns }, use_templating: true, use_meta: true }), device_id }
    },
    reason: 'failed',
    detail: /^PayloadTooLarge/,
  },
  'a push that is still retried': {
    make: () => sendToToken(`unavailable-${randomUUID()}`),
    reason: 'retrying',
    detail: /^attempt 1, UNAVAILABLE/,
  },
  'a push that was retried with success': {
    make: () => sendToToken(`refuse-once-${randomUUID()}`),
    reason: 'sent',
  },
  'a push that the provider accepted': {
    make: () => sendToToken(randomUUID()),
    reason: 'sent',
  },
  'a push to APNs that was accepted': {
    make: async () => {
      const { topic, device_id } = await rig.register({ provider: 'apns', token: apnsToken() })
      return { uid: await rig.send(topic, { notification: { apns: APNS_BODY } }), device_id }
    },
    reason: 'sent',
  },
  'a push that was delivered': {
    make: async () => {
      const push = await sendToToken(randomUUID())
      await report(push, 'delivered')
      return push
    },
    reason: 'delivered',
  },
  'a push that the user opened, of a send with an analytics_uid': {
    make: async () => {
      const analytics_uid = randomUUID()
      const push = await sendToToken(randomUUID(), { analytics_uid })
      await report({ ...push, uid: analytics_uid }, 'delivered')
      await report({ ...push, uid: analytics_uid }, 'interacted')
      return push
    },
    reason: 'interacted',
  },
  'a device that was removed after the push': {
    make: async () => {
      const push = await sendToToken(randomUUID())
      await rig.expectReason(push, 'sent')
      await rig.call('device_remove', { ids: [push.device_id] })
      return push
    },
    reason: 'device_removed',
  },
}

const report = ({ uid, device_id }: Who, status: string) =>
  rig.call('update_push_status', { analytics_uid: uid, device_id, status })

test.concurrent.each(Object.entries(SITUATIONS))('%s', async (_, { make, reason, detail }) => {
  await rig.expectReason(await make(), reason, detail)
})

test('each device of a user has its own reason, and all checks in their order', async () => {
  const { topic, user, device_id } = await rig.register()
  await rig.register({ user })
  const uid = await rig.send(topic)
  await rig.expectReason({ uid, user }, 'sent')
  const explanations = await rig.explain({ uid, user })
  expect(explanations.map(({ reason }) => reason).sort()).toEqual(['not_a_recipient', 'sent'])
  const [sent] = await rig.explain({ uid, device_id })
  expect(sent?.checks.map(({ name, result }) => `${name} ${result}`)).toEqual([
    ...['send_known', 'send_due', 'not_cancelled', 'not_expired', 'device_known', 'is_recipient'].map(isOk),
    ...['provider_enabled', 'has_notification', 'within_limits', 'within_hours', 'provider_running'].map(isOk),
    ...['attempts', 'still_registered'].map(isOk),
    'app_report sent',
  ])
})

const isOk = (name: string) => `${name} ok`

test.each([[{ uid: 'u' }], [{ uid: '', user: 'anna' }], [{ uid: 'u', device_id: 'phone' }]])(
  'the request %j is refused',
  async (request) => {
    expect(await (await rig.server.post('/explain_push', request)).json()).toEqual({
      error: { code: 107, message: 'bad request' },
    })
  },
)

describe('while a provider is paused', () => {
  let queue: PostgresQueue
  let stop: () => Promise<unknown>
  beforeAll(() => {
    const sql = openDatabase({ dsn: rig.dsn, maxConnections: 2, plans: 'once' })
    queue = new PostgresQueue({ sql, logger: makeTestLogger(), leaseMs: 15_000, maxJobs: 1000 })
    stop = () => queue.close().then(() => sql.end())
  })
  afterAll(() => stop())

  test('by an operator, pushes wait, and those that are cancelled or expire meanwhile are explained', async () => {
    await queue.pause('fcm', 'maintenance', undefined)
    const waiting = await sendToToken(randomUUID())
    await rig.expectReason(waiting, 'provider_paused', /^maintenance$/)
    const { topic, user, device_id } = await rig.register()
    const other = await rig.register({ user: 'other' })
    const uid = await rig.send(topic, { recipient: { filter: { topics: [topic, other.topic] } } })
    await rig.call('cancel_push', { uid, user })
    const notification = { expire_at: unixSeconds(1500) }
    const expiring = await sendToToken(randomUUID(), { notification })
    await rig.expectReason(expiring, 'expired')
    await queue.resume('fcm')
    await rig.expectReason(waiting, 'sent')
    await rig.expectReason({ uid, device_id }, 'cancelled')
    await rig.expectReason({ uid, user: 'other' }, 'sent')
    await rig.expectReason(expiring, 'expired', /^expired/)
  })

  test('by a refused credential, the pushes name its reason', async () => {
    const push = await sendToToken(`permission-${randomUUID()}`)
    await rig.expectReason(push, 'credential_refused', /^HTTP_403$/)
    await queue.resume('fcm')
  })
})

test('a provider that is not enabled is named, and a broadcast without rows was most likely sent', async () => {
  const limited = await startExplainRig({ push_notifications: { enabled_providers: ['fcm', 'apns'] } })
  onTestFinished(() => limited.stop())
  const device = await limited.register()
  await limited.expectReason({ uid: await limited.send(device.topic), user: device.user }, 'presumably_sent')
  const { topic, device_id } = await limited.register({ provider: 'hms' })
  const uid = await limited.send(topic, { notification: { hms: { message: { data: '{}' } } } })
  await limited.expectReason({ uid, device_id }, 'provider_disabled', /^hms$/)
})
