// The spellings of tokens and locales that real clients send: one phone is one device, and its locale is stored as a
// language tag.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Devices, openDevices } from './methods.ts'

const HEX = '1e2122ba4ccabb8e7a34072cc71cf262470b35cde03f7ee8d78acdf08159e5a9'

let devices: Devices
beforeAll(async () => {
  devices = await openDevices()
})
afterAll(() => devices.drop())

test('a device token of APNs is one device in every spelling', async () => {
  const spellings = [
    HEX,
    HEX.toUpperCase(),
    '<1e2122ba 4ccabb8e 7a34072c c71cf262 470b35cd e03f7ee8 d78acdf0 8159e5a9>',
    Buffer.from(HEX, 'hex').toString('base64'),
    HEX.match(/../g)?.join('-') ?? '',
  ]
  const ids = new Set<string>()
  for (const token of spellings) ids.add(await devices.register({ provider: 'apns', platform: 'ios', token }))
  expect(ids.size).toBe(1)
  expect((await devices.find([...ids][0] ?? ''))?.token).toBe(HEX)
})

test.each([
  ['pt_BR', 'pt-BR'],
  ['en_US', 'en-US'],
  ['zh_TW', 'zh-TW'],
  ['zh-Hant_TW', 'zh-Hant-TW'],
  ['zh_TW_#Hant', 'zh-Hant-TW'],
  ['de_DE.UTF-8', 'de-DE'],
  ['iw', 'he'],
  ['sr_RS@latin', 'sr-Latn-RS'],
  ['b+es+419', 'es-419'],
  ['zh-cmn-Hans-CN', 'zh-Hans-CN'],
])('a locale registered as %s is stored as %s, and updated likewise', async (locale, stored) => {
  const id = await devices.register({ locale })
  expect((await devices.find(id))?.locale).toBe(stored)
  await devices.update({ ids: [id], locale_update: { locale: 'xx' } })
  await devices.update({ ids: [id], locale_update: { locale } })
  expect((await devices.find(id))?.locale).toBe(stored)
})

test.each([
  ['GMT+02:00', 'Etc/GMT-2'],
  [' Europe/Berlin', 'Europe/Berlin'],
])('a time zone registered as "%s" is stored as %s, and updated likewise', async (timezone, stored) => {
  const id = await devices.register({ timezone })
  expect((await devices.find(id))?.timezone).toBe(stored)
  await devices.update({ ids: [id], timezone_update: { timezone: 'UTC' } })
  await devices.update({ ids: [id], timezone_update: { timezone } })
  expect((await devices.find(id))?.timezone).toBe(stored)
})

test.each(['fcm', 'hms'])('a token of %s with white space is refused', async (provider) => {
  for (const token of [' a-token', 'a-token ', 'a token', 'a\u00a0token']) {
    await expect(devices.register({ provider, token })).rejects.toThrow(/token: contains white space/)
  }
})

test('meta keeps line feeds and other control characters', async () => {
  const meta = { address: '1 Main St\nSpringfield', 'a\tkey': 'bell \u0007' }
  const id = await devices.register({ meta })
  expect((await devices.find(id))?.meta).toEqual(meta)
})
