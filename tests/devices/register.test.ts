import { afterAll, beforeAll, expect, test } from 'vitest'
import { formatDeviceId, makeDeviceUuid } from '../../src/devices/device-id.ts'
import { type Devices, errorKind, newToken, openDevices } from './methods.ts'

let devices: Devices

beforeAll(async () => {
  devices = await openDevices()
})

afterAll(() => devices.drop())

test('device_list has all fields of a registration', async () => {
  const token = newToken()
  const before = Math.floor(Date.now() / 1000)
  const id = await devices.register({
    provider: 'hms',
    platform: 'android',
    token,
    user: '42',
    topics: ['b', 'a', 'b'],
    timezone: 'Europe/Nicosia',
    locale: 'el-CY',
    meta: { first_name: 'Ada', constructor: 'y', '': 'empty key' },
  })
  expect(id).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}-hms$/)
  const device = await devices.find(id)
  expect(device).toEqual({
    id,
    provider: 'hms',
    platform: 'android',
    token,
    user: '42',
    topics: ['a', 'b'],
    timezone: 'Europe/Nicosia',
    locale: 'el-CY',
    meta: { first_name: 'Ada', constructor: 'y', '': 'empty key' },
    created_at: device?.updated_at,
    updated_at: expect.any(Number),
  })
  expect(device?.updated_at).toBeGreaterThanOrEqual(before)
})

test('a key of meta may be any text, also one with a special meaning in JavaScript', async () => {
  const id = await devices.register({ meta: JSON.parse('{"__proto__":"x","toString":"y"}') })
  const { meta = {} } = (await devices.find(id)) ?? {}
  expect(Object.entries(meta)).toEqual([
    ['__proto__', 'x'],
    ['toString', 'y'],
  ])
})

test('a registration resets the fields that it leaves out', async () => {
  const token = newToken()
  const full = { token, user: 'u', topics: ['a'], timezone: 'UTC', locale: 'en', meta: { a: 'b' } }
  const id = await devices.register(full)
  expect(await devices.register({ id, token })).toBe(id)
  const bare = await devices.find(id)
  expect(Object.keys(bare ?? {}).sort()).toEqual(['created_at', 'id', 'platform', 'provider', 'token', 'updated_at'])
})

test('a known token without an id is the same device', async () => {
  const token = newToken()
  const id = await devices.register({ token })
  expect(await devices.register({ token, user: 'later' })).toBe(id)
  expect((await devices.find(id))?.user).toBe('later')
})

test('tokens that differ only in backslashes belong to different devices', async () => {
  const end = newToken()
  // With backslashes as escapes, some of these tokens would be equal and others invalid.
  const tokens = ['A', '\\x41', '\\101', '\\\\x41', '\\\\101', '\\x4', '\\'].map((start) => start + end)
  const register = () => Promise.all(tokens.map((token) => devices.register({ token })))
  const ids = await register()
  expect(new Set(ids).size).toBe(tokens.length)
  expect(await register()).toEqual(ids)
})

test('the same token with two providers belongs to two devices', async () => {
  const token = newToken()
  const fcm = await devices.register({ token, provider: 'fcm' })
  const hms = await devices.register({ token, provider: 'hms' })
  expect(hms).not.toBe(fcm)
  expect(await devices.find(fcm)).toBeDefined()
})

test('a stored id gets a new token and stays one device', async () => {
  const id = await devices.register({ user: 'rotates' })
  const token = newToken()
  expect(await devices.register({ id, token, user: 'rotates' })).toBe(id)
  const { items } = await devices.list({ filter: { users: ['rotates'] } })
  expect(items.map((device) => device.token)).toEqual([token])
})

test('an id without a stored device is stored again', async () => {
  const id = await devices.register({ topics: ['old'] })
  await devices.remove({ ids: [id] })
  expect(await devices.register({ id })).toBe(id)
  expect((await devices.find(id))?.topics).toBeUndefined()
})

test('the given id wins over the device that had its token', async () => {
  const token = newToken()
  const old = await devices.register({ token, topics: ['gone-with-it'] })
  const id = await devices.register({ user: 'u' })
  expect(await devices.register({ id, token })).toBe(id)
  expect(await devices.find(old)).toBeUndefined()
  expect((await devices.find(id))?.token).toBe(token)
  expect((await devices.listTopics({ filter: { topics: ['gone-with-it'] } })).items).toEqual([])
})

test('an id of another provider is refused and changes nothing', async () => {
  const id = await devices.register({ provider: 'fcm', user: 'keeps' })
  expect(await errorKind(devices.register({ id, provider: 'hms' }))).toBe('badRequest')
  // The same ULID with another provider's name is an id that the server never created.
  const forged = id.replace('fcm', 'hms')
  const token = newToken()
  const other = await devices.register({ token, provider: 'hms' })
  expect(await errorKind(devices.register({ id: forged, token, provider: 'hms' }))).toBe('badRequest')
  expect((await devices.find(id))?.user).toBe('keeps')
  expect(await devices.find(other)).toBeDefined()
  expect(await devices.find(forged)).toBeUndefined()
})

test('ids have the order of the first registrations', () => {
  const ids = [1, 2, 1_700_000_000_000, 1_700_000_000_001].map((ms) => formatDeviceId(makeDeviceUuid(ms), 'fcm'))
  expect([...ids].sort()).toEqual(ids)
})

test('a Web Push device stores its endpoint as the token, and its keys separately', async () => {
  const endpoint = 'https://push.example.com/send/abc'
  const keys = {
    p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
    auth: 'BTBZMqHH6r4Tts7J_aSIgg',
  }
  const token = JSON.stringify({ endpoint, expirationTime: null, keys })
  const id = await devices.register({ provider: 'webpush', platform: 'web', token })
  const device = await devices.find(id)
  expect(device?.token).toBe(endpoint)
  expect(JSON.parse(device?.webpush_keys ?? '')).toEqual(keys)
  const { items } = await devices.list({ filter: { ids: [id] } })
  expect(items[0]).not.toHaveProperty('webpush_keys')
})
