// Migration 0012: the devices of APNs that an earlier version stored under several spellings of one token.
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Devices, newToken, openDevices, uuidOf } from '../devices/methods.ts'

const MIGRATION = new URL('../../schema/postgres/0012_device_token_spellings.sql', import.meta.url)
const HEX = '1e2122ba4ccabb8e7a34072cc71cf262470b35cde03f7ee8d78acdf08159e5a9'
const GROUPS = '<1e2122ba 4ccabb8e 7a34072c c71cf262 470b35cd e03f7ee8 d78acdf0 8159e5a9>'
const OTHER = 'ab'.repeat(32)

let devices: Devices
beforeAll(async () => {
  devices = await openDevices()
})
afterAll(() => devices.drop())

/** Stores a device under a token as an earlier version stored it. */
async function store(token: string, provider = 'apns'): Promise<string> {
  const id = await devices.register({ provider: 'hms', token: newToken(), topics: ['news'] })
  const code = provider === 'apns' ? 3 : 1
  await devices.sql`update devices set provider = ${code}, token = ${token} where id = ${uuidOf(id)}::uuid`
  return uuidOf(id)
}

async function tokens(): Promise<Record<string, string>> {
  const rows = await devices.sql`select id, token from devices`
  return Object.fromEntries(rows.map(({ id, token }) => [id, token]))
}

test('the spellings of a token become one device, that of the last registration, and no other token changes', async () => {
  await store(HEX)
  await store(HEX.toUpperCase())
  await store(Buffer.from(HEX, 'hex').toString('base64'))
  const last = await store(GROUPS)
  const alone = await store(OTHER.toUpperCase())
  const odd = await store('unregistered-1')
  const fcm = await store(HEX.toUpperCase(), 'fcm')
  const text = await readFile(MIGRATION, 'utf8')
  await devices.sql.begin((tx) => tx.unsafe(text))
  expect(await tokens()).toEqual({ [last]: HEX, [alone]: OTHER, [odd]: 'unregistered-1', [fcm]: HEX.toUpperCase() })
  const [removed] = await devices.sql`
    select count(*)::int as count, bool_and(device->'topics' = '["news"]') as topics from removed_devices
    where reason = 'token_spelling'`
  expect(removed).toEqual({ count: 3, topics: true })
  const [orphans] = await devices.sql`
    select count(*)::int as count from device_topics where device_id not in (select id from devices)`
  expect(orphans).toEqual({ count: 0 })
})
