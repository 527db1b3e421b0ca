import { createECDH } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ApiError } from '../../src/protocol/errors.ts'
import { type Devices, openDevices } from './methods.ts'

let devices: Devices

beforeAll(async () => {
  devices = await openDevices()
})

afterAll(() => devices.drop())

const NUL = '\u0000'
const ID = '01ARZ3NDEKTSV4RRFFQ69G5FAV-fcm'

const point = createECDH('prime256v1')
const p256dh = point.generateKeys('base64url')
const auth = Buffer.alloc(16, 1).toString('base64url')

function subscription({ endpoint = 'https://push.example.com/x' as unknown, keys = { p256dh, auth } as unknown }) {
  return { provider: 'webpush', platform: 'web', token: JSON.stringify({ endpoint, keys }) }
}

test.each([
  ['id', 'no device id', { id: 'x' }],
  ['id', 'a ULID alone', { id: '01ARZ3NDEKTSV4RRFFQ69G5FAV' }],
  ['id', 'a ULID of more than 128 bits', { id: '81ARZ3NDEKTSV4RRFFQ69G5FAV-fcm' }],
  ['id', 'lower case', { id: ID.toLowerCase() }],
  ['id', 'a letter that ULIDs do not have', { id: '01ARZ3NDEKTSV4RRFFQ69G5FAU-fcm' }],
  ['id', 'an unknown provider', { id: ID.replace('fcm', 'gcm') }],
  ['id', 'more after the provider', { id: `${ID}\n` }],
  ['provider', 'none', { provider: '' }],
  ['provider', 'an unknown one', { provider: 'FCM' }],
  ['provider', 'a name of JavaScript', { provider: '__proto__' }],
  ['platform', 'none', { platform: '' }],
  ['platform', 'an unknown one', { platform: 'windows' }],
  ['token', 'none', { token: '' }],
  ['token', 'a NUL', { token: `a${NUL}b` }],
  ['token', 'a tab', { token: 'a\tb' }],
  ['token', 'a line feed', { token: 'a\nb' }],
  ['token', '4097 bytes', { token: 'x'.repeat(4097) }],
  ['user', 'a NUL', { user: NUL }],
  ['user', '258 bytes in 129 characters', { user: 'é'.repeat(129) }],
  ['topics', 'an empty one', { topics: ['a', ''] }],
  ['topics', 'a NUL', { topics: [NUL] }],
  ['topics', '257 bytes', { topics: ['x'.repeat(257)] }],
  ['timezone', 'no zone', { timezone: 'Mars/Olympus' }],
  ['timezone', 'an offset', { timezone: '+02:00' }],
  ['timezone', 'a NUL', { timezone: `UTC${NUL}` }],
  ['locale', 'the name of a language', { locale: 'English_United States' }],
  ['locale', 'no language', { locale: 'x' }],
  ['locale', 'a line feed', { locale: 'en\n' }],
  ['token', 'no device token of APNs', { provider: 'apns', platform: 'ios', token: 'ab'.repeat(31) }],
  ['meta', 'a NUL in a value', { meta: { a: NUL } }],
  ['meta', 'a NUL in a key', { meta: { [NUL]: 'a' } }],
  ['meta', 'more than 4096 bytes', { meta: { a: 'x'.repeat(4090) } }],
  ['token', 'no JSON', { provider: 'webpush', platform: 'web', token: '{' }],
  ['token', 'JSON that is no object', { provider: 'webpush', platform: 'web', token: '"x"' }],
  ['token', 'an endpoint over http', subscription({ endpoint: 'http://push.example.com/x' })],
  ['token', 'an endpoint that is no URL', subscription({ endpoint: 'push' })],
  ['token', 'an endpoint of a stranger', subscription({ endpoint: 'https://internal.example.com/x' })],
  ['token', 'an endpoint that is an address', subscription({ endpoint: 'https://2130706433/x' })],
  ['token', 'an endpoint with a password', subscription({ endpoint: 'https://a:b@push.example.com/x' })],
  ['token', 'an endpoint with a line feed', subscription({ endpoint: 'https://push.example.com/\nx' })],
  ['token', 'a subscription without keys', subscription({ keys: null })],
  ['token', 'a point that is not on the curve', subscription({ keys: { auth, p256dh: `BA${'A'.repeat(85)}` } })],
  [
    'token',
    'a compressed point',
    subscription({ keys: { auth, p256dh: point.getPublicKey('base64url', 'compressed') } }),
  ],
  ['token', 'an auth of 15 bytes', subscription({ keys: { p256dh, auth: Buffer.alloc(15).toString('base64url') } })],
])('device_register refuses %s: %s', async (field, _, request) => {
  const error = await devices.register(request).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(ApiError)
  expect(error).toMatchObject({ kind: 'badRequest', message: expect.stringMatching(new RegExp(`^${field}: `)) })
  // The log never contains a value.
  for (const value of Object.values(request)) {
    if (typeof value === 'string' && value.length > 20) expect(String(error)).not.toContain(value.slice(0, 20))
  }
  expect((await devices.list({})).items).toEqual([])
})

test.each([
  { timezone: 'Europe/Nicosia', locale: 'zh-Hant-TW' },
  { timezone: 'US/Pacific', locale: 'sr-Latn-RS' },
  { timezone: 'Etc/GMT+5', locale: 'pt-BR' },
  { timezone: 'UTC', locale: 'de' },
  { token: 'x'.repeat(4096), user: 'é'.repeat(128), topics: ['😀'.repeat(64)] },
  { meta: { emoji: '😀', 'with "quotes"': '\\', address: '1 Main St\r\nSpringfield\t\u0007' } },
  { user: "Robert'); drop table devices; --" },
  subscription({}),
  subscription({ keys: { p256dh: `${point.getPublicKey('base64')}`, auth: Buffer.alloc(16, 255).toString('base64') } }),
])('device_register accepts %j', async (request) => {
  const id = await devices.register(request)
  const { provider, platform, token, ...rest } = { token: undefined, ...request } as Record<string, unknown>
  expect(await devices.find(id)).toMatchObject(provider === 'webpush' ? { provider, platform } : rest)
  await devices.remove({ ids: [id] })
})

test.each([
  ['user_update.user', () => devices.update({ ids: [ID], user_update: { user: NUL } })],
  ['timezone_update.timezone', () => devices.update({ ids: [ID], timezone_update: { timezone: 'x' } })],
  ['locale_update.locale', () => devices.update({ ids: [ID], locale_update: { locale: '-' } })],
  ['meta_update.meta', () => devices.update({ ids: [ID], meta_update: { meta: { a: NUL } } })],
  ['topics_update.op', () => devices.update({ ids: [ID], topics_update: {} })],
  ['topics_update.topics', () => devices.update({ ids: [ID], topics_update: { op: 'set', topics: [''] } })],
  ['users', () => devices.remove({ users: [NUL] })],
  ['ids', () => devices.remove({ ids: [`${ID}${NUL}`] })],
  ['filter.ids', () => devices.list({ filter: { ids: ['x'] } })],
  ['filter.users', () => devices.list({ filter: { users: [NUL] } })],
  ['filter.topics', () => devices.list({ filter: { topics: [NUL] } })],
  ['filter.providers', () => devices.list({ filter: { providers: ['gcm'] } })],
  ['filter.platforms', () => devices.list({ filter: { platforms: [''] } })],
  ['filter.device_ids', () => devices.listTopics({ filter: { device_ids: ['x'] } })],
  ['filter.device_providers', () => devices.listTopics({ filter: { device_providers: ['x'] } })],
  ['filter.topic_prefix', () => devices.listTopics({ filter: { topic_prefix: NUL } })],
  ['cursor', () => devices.listUsers({ cursor: `00000001-${NUL}` })],
  ['filter.users', () => devices.listUsers({ filter: { users: [NUL] } })],
  ['user', () => devices.updateUser({ user: NUL, op: 'set' })],
  ['topics', () => devices.updateUser({ user: 'u', op: 'add', topics: [''] })],
  ['device_id', () => devices.updateTopics({ device_id: 'x', op: 'set' })],
  ['user', () => devices.updateTopics({ device_id: ID, op: 'set', user: NUL })],
])('a wrong %s is a bad request that names it', async (field, call) => {
  await expect(call()).rejects.toMatchObject({ kind: 'badRequest', message: expect.stringContaining(`${field}: `) })
})
