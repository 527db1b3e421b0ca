// Compares the output of `centripush send --preview` with the message that the provider gets for the same request.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { assembleSending, type Sending } from '../../src/assemble/assemble-sending.ts'
import { describePreview } from '../../src/cli/send/describe-preview.ts'
import { parseConfig } from '../../src/config/load.ts'
import { PROVIDER_NAMES, type ProviderName } from '../../src/config/provider-names.ts'
import { type Preview, previewSend } from '../../src/preview/preview-send.ts'
import { decodeMessage } from '../../src/protocol/decode-message.ts'
import { SendPushNotificationRequest } from '../../src/protocol/requests/push.ts'
import { makeDirectory, runCommand } from '../cli/command.ts'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { KillableRedis } from '../support/killable-redis.ts'
import { PUSH_SERVICES, type PushService } from '../support/push-services.ts'
import { makeTestLogger } from '../support/run-log.ts'

const HOUR_MS = 3_600_000
const Registered = v.object({ result: v.object({ id: v.string() }) })
const Tokens = v.record(v.string(), v.tuple([v.string()]))

const TEXT = '{{.l10n.greeting | default [[Hello]]}}, {{.device.meta.name}} of {{.device.user}} {{.device.id}}'
const NOTIFICATION = {
  fcm: { message: { data: { text: TEXT, n: '1.0' } } },
  hms: { message: { data: TEXT } },
  apns: { payload: { aps: { alert: TEXT } }, headers: { 'apns-collapse-id': 'of {{.device.user}}' } },
  webpush: { payload: { text: TEXT, n: 1 }, headers: { topic: 'for-{{.device.user}}' } },
}
const PERSONAL = {
  notification: NOTIFICATION,
  use_templating: true,
  use_meta: true,
  localizations: { pt: { translations: { greeting: 'Olá "você"\n' } } },
}

let redis: KillableRedis
beforeAll(async () => {
  redis = await KillableRedis.start()
})
afterAll(() => redis.stop())

describe.each(['postgresql', 'redis'] as const)('a preview on %s', (type) => {
  let database: TestDatabase
  let server: TestAssembly
  let sending: Sending
  const services = new Map<ProviderName, PushService>()
  const ids = new Map<ProviderName, string>()

  beforeAll(async () => {
    database = await createTestDatabase()
    for (const name of PROVIDER_NAMES) services.set(name, await PUSH_SERVICES[name]())
    const sections = Object.fromEntries(PROVIDER_NAMES.map((name) => [name, serviceOf(name).options]))
    const queue = type === 'redis' ? { type, redis: { address: `127.0.0.1:${redis.port}` } } : { type }
    const push_notifications = { queue, ...sections }
    server = await startAssembly(database.dsn, { push_notifications })
    const config = parseConfig({ push_notifications, database: { postgresql: { dsn: database.dsn } } })
    sending = await assembleSending({ config, logger: makeTestLogger() })
    for (const provider of PROVIDER_NAMES) ids.set(provider, await register(provider))
  })
  afterAll(async () => {
    await sending.stop()
    await server.stop(0)
    for (const service of services.values()) await service.stop()
    await database.drop()
  })

  function serviceOf(provider: ProviderName): PushService {
    const service = services.get(provider)
    if (!service) throw new Error('all are started')
    return service
  }

  async function register(provider: ProviderName, more: object = {}): Promise<string> {
    const [tokens] = Object.values(v.parse(Tokens, serviceOf(provider).recipient(1)))
    const response = await server.post('/device_register', {
      provider,
      platform: provider === 'webpush' ? 'web' : provider === 'apns' ? 'ios' : 'android',
      token: tokens?.[0],
      user: '42',
      locale: 'pt-BR',
      timezone: 'Asia/Kathmandu',
      meta: { name: 'Ada "1st" \\ 👍' },
      topics: ['news'],
      ...more,
    })
    return v.parse(Registered, await response.json()).result.id
  }

  async function preview(request: object, deviceId: string): Promise<Preview> {
    const decoded = decodeMessage(SendPushNotificationRequest, Buffer.from(JSON.stringify(request)))
    return await previewSend(sending.preview(), decoded, deviceId)
  }

  test.each(PROVIDER_NAMES)('shows the same bytes that %s gets when the request is sent', async (provider) => {
    const [service, id = ''] = [serviceOf(provider), ids.get(provider)]
    const request = { ...PERSONAL, recipient: { filter: { ids: [id] } } }
    const { isRecipient, parts, time } = await preview(request, id)
    expect([isRecipient, time.kind, parts.map((part) => part.provider)]).toEqual([
      true,
      'at',
      expect.arrayContaining([...PROVIDER_NAMES]),
    ])
    const shown = parts.find((part) => part.provider === provider)?.json.toString() ?? ''
    expect(shown).toContain('Olá \\"você\\"\\n, Ada \\"1st\\" \\\\ 👍 of 42 ')
    const before = service.accepted().length
    await server.post('/send_push_notification', request)
    await service.waitForAccepted(before + 1)
    const received = service.accepted().at(-1)?.body ?? ''
    // FCM has the token beside the members of the message.
    if (provider === 'fcm') expect(received).toContain(shown.slice(1, -1))
    else expect(received).toBe(shown)
  })

  test('shows which translation was chosen', async () => {
    const [id = ''] = [ids.get('fcm')]
    const localizations = { zh: { translations: {} }, 'zh-Hant': { translations: {} }, pt_BR: { translations: {} } }
    const message = { notification: { title: '{{.l10n.greeting}}' } }
    const request = { recipient: { filter: { ids: [id] } }, notification: { fcm: { message } }, localizations }
    for (const [locale, translation] of [
      ['zh-Hant_TW', 'zh-Hant'],
      ['zh-CN', 'zh'],
      ['pt-BR-u-ca-gregory', 'pt_BR'],
      ['pt-PT', undefined],
    ]) {
      await server.post('/device_update', { ids: [id], locale_update: { locale } })
      expect((await preview(request, id)).translation).toBe(translation)
    }
    const lines = describePreview(await preview(request, id))
    expect(lines).toContain('translation: none, the device is in pt-PT')
    await server.post('/device_update', { ids: [id], locale_update: { locale: 'pt-BR' } })
    expect(describePreview(await preview(request, id))).toContain('translation: pt_BR, the device is in pt-BR')
  })

  test('shows why a provider refuses what was rendered', async () => {
    const [id = ''] = [ids.get('fcm')]
    const apns = {
      payload: { aps: { alert: `{{.device.user}}${'x'.repeat(4096)}` } },
      headers: { 'apns-priority': '{{.device.user}}' },
    }
    const webpush = { payload: {}, headers: { TTL: '{{.device.user}}' } }
    const request = { recipient: { filter: { ids: [id] } }, notification: { apns, webpush }, use_templating: true }
    const lines = describePreview(await preview(request, id))
    expect(lines).toContain('refused by apns: apns.headers.apns-priority: must be 10, 5 or 1')
    const { headers: _, ...large } = apns
    const shown = describePreview(await preview({ ...request, notification: { apns: large } }, id))
    const refusal = /^refused by apns: apns\.payload: has 41\d\d bytes, and apns accepts 4096$/
    expect(shown).toContainEqual(expect.stringMatching(refusal))
  })

  test('shows headers with the device’s values', async () => {
    const { parts } = await preview({ ...PERSONAL, recipient: { filter: { topics: ['news'] } } }, ids.get('apns') ?? '')
    expect(Object.fromEntries(parts.map(({ provider, headers }) => [provider, Object.fromEntries(headers)]))).toEqual({
      fcm: {},
      hms: {},
      apns: { 'apns-collapse-id': 'of 42' },
      webpush: { topic: 'for-42' },
    })
  })

  test('reports the state of a rate limit, and takes no grant', async () => {
    const id = ids.get('fcm') ?? ''
    const limited = (drop_if_rate_limited: boolean) => ({
      notification: { fcm: { message: {} } },
      recipient: { filter: { ids: [id] } },
      limit_strategy: {
        rate_limit: { key: `${type} device.id`, policies: [{ rate: 1, interval_ms: HOUR_MS }], drop_if_rate_limited },
      },
    })
    for (let time = 0; time < 3; time++) expect((await preview(limited(true), id)).rate).toEqual({ kind: 'free' })
    const before = serviceOf('fcm').accepted().length
    await server.post('/send_push_notification', limited(false))
    await serviceOf('fcm').waitForAccepted(before + 1)
    for (const [drops, kind] of [
      [true, 'dropped'],
      [false, 'delayed'],
    ] as const) {
      const { rate } = await preview(limited(drops), id)
      expect(rate).toEqual({ kind, waitMs: expect.any(Number) })
    }
    const expire_at = Math.floor(Date.now() / 1000) + 600
    const shortLived = { ...limited(false), notification: { fcm: { message: {} }, expire_at } }
    expect((await preview(shortLived, id)).time).toMatchObject({ kind: 'expired' })
  })

  test('reports the time at which a time limit admits the device', async () => {
    const id = ids.get('fcm') ?? ''
    const hours = (send_after_time: string, send_before_time: string) => ({
      notification: { fcm: { message: {} } },
      recipient: { filter: { ids: [id] } },
      limit_strategy: { time_limit: { send_after_time, send_before_time } },
      send_at: Date.parse('2100-01-01T12:00:00Z') / 1000,
    })
    // 17:45 in Kathmandu.
    const at = (iso: string) => ({ kind: 'at', atMs: Date.parse(iso) })
    expect((await preview(hours('17:00:00', '18:00:00'), id)).time).toEqual(at('2100-01-01T12:00:00Z'))
    expect((await preview(hours('18:00:00', '19:00:00'), id)).time).toEqual(at('2100-01-01T12:15:00Z'))
    const late = { ...hours('18:00:00', '19:00:00') }
    const notification = { ...late.notification, expire_at: Date.parse('2100-01-01T12:10:00Z') / 1000 }
    expect((await preview({ ...late, notification }, id)).time).toMatchObject({ kind: 'expired' })
    await server.post('/device_update', { ids: [id], timezone_update: { timezone: '' } })
    expect((await preview(hours('18:00:00', '19:00:00'), id)).time).toEqual({ kind: 'no_timezone' })
  })

  test('reports that a device outside of the filter is no recipient', async () => {
    const [id = '', other = ''] = [ids.get('fcm'), ids.get('hms')]
    const notification = { fcm: { message: {} } }
    for (const filter of [
      { ids: [other] },
      { topics: ['another'] },
      { users: ['43'] },
      { topics: ['news'], ids: [other] },
    ]) {
      const shown = await preview({ recipient: { filter }, notification }, id)
      expect([filter, shown.isRecipient]).toEqual([filter, false])
    }
    expect(
      describePreview(await preview({ recipient: { filter: { topics: ['news'] } }, notification }, other)),
    ).toContain('provider: hms; the notification has no part for it, so nothing is sent')
  })

  test('stores nothing in the queue', async () => {
    const { queue } = sending.accept
    const before = await queue.stats()
    await preview({ ...PERSONAL, recipient: { filter: { topics: ['news'] } } }, ids.get('fcm') ?? '')
    expect(await queue.stats()).toEqual(before)
  })

  test.each<[string, object, string]>([
    ['a device that does not exist', { recipient: { filter: { topics: ['news'] } } }, 'notFound'],
    ['raw tokens', { recipient: { fcm_tokens: ['t'] } }, 'badRequest'],
    [
      'an invalid template',
      { recipient: { filter: { topics: ['news'] } }, notification: { fcm: { message: { a: '{{' } } } },
      'badRequest',
    ],
  ])('of %s is an error', async (what, request, kind) => {
    const id = ids.get('fcm') ?? ''
    const stranger = `${id.startsWith('0') ? '1' : '0'}${id.slice(1)}`
    const asked = preview({ ...PERSONAL, ...request }, what.startsWith('a device') ? stranger : id)
    await expect(asked).rejects.toMatchObject({ kind })
  })

  if (type === 'postgresql') {
    test('the command prints it, sends without --preview, and reports an invalid request', async () => {
      const id = ids.get('fcm') ?? ''
      const file = join(makeDirectory(), 'request.json')
      const notification = { fcm: NOTIFICATION.fcm }
      const request = { notification, recipient: { filter: { ids: [id] } } }
      await writeFile(file, JSON.stringify(request))
      const shown = await runCommand(database.dsn, ['send', file, '--preview', id])
      expect(shown).toMatchObject({ code: 0, stderr: '' })
      expect(shown.stdout).toMatch(
        /^recipient: yes\nprovider: fcm\ntranslation: none, the device .*\ntime: .* UTC.*\nrate limit: none\n/,
      )
      // FCM counts the keys and values of the data.
      expect(shown.stdout).toContain(`\nfcm: ${'textn1.0'.length + TEXT.length} of 4096 bytes\n`)
      const wrong = await runCommand(database.dsn, ['send'], '{"recipient":{"filter":{}},"notification":{}}')
      expect(wrong).toMatchObject({ code: 2, stdout: '' })
      expect(wrong.stderr).toMatch(/^centripush send: /)
      const before = serviceOf('fcm').accepted().length
      const only = { ...request, uid: 'by-hand' }
      expect(await runCommand(database.dsn, ['send'], JSON.stringify(only))).toMatchObject({
        code: 0,
        stdout: 'by-hand\n',
      })
      await serviceOf('fcm').waitForAccepted(before + 1)
    })
  }
})
