import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Devices, newToken, openDevices, uuidOf } from './methods.ts'

let devices: Devices
const MINUTE_MS = 60_000
/** Later than any registration of this test. */
const later = () => Date.now() + MINUTE_MS

beforeEach(async () => {
  devices = await openDevices()
})

afterEach(() => devices.drop())

test('a device with a dead token is removed with its topics, and all of it is kept in removed_devices', async () => {
  const token = newToken()
  const deviceId = await devices.register({ token, user: 'u', topics: ['a', 'b'], meta: { k: 'v' } })
  const alive = await devices.register({ topics: ['a'] })
  expect(await devices.store.removeGone('fcm', [{ deviceId: uuidOf(deviceId), token }], later(), 'UNREGISTERED')).toBe(
    1,
  )
  expect(await devices.find(deviceId)).toBeUndefined()
  expect(await devices.find(alive)).toMatchObject({ topics: ['a'] })
  const [kept] = await devices.sql`select reason, device from removed_devices`
  expect(kept?.reason).toBe('UNREGISTERED')
  expect(kept?.device).toMatchObject({
    token,
    user_id: 'u',
    meta: { k: 'v' },
    topics: expect.arrayContaining(['a', 'b']),
  })
  expect(await devices.sql`select from device_topics`).toHaveLength(1)
})

test('a raw token selects the device with it, of its provider only', async () => {
  const token = newToken()
  const fcm = await devices.register({ token, provider: 'fcm' })
  const hms = await devices.register({ token, provider: 'hms' })
  const gone = [
    { deviceId: '', token },
    { deviceId: '', token: 'of-nobody' },
  ]
  expect(await devices.store.removeGone('hms', gone, later())).toBe(1)
  expect(await devices.find(hms)).toBeUndefined()
  expect(await devices.find(fcm)).toBeDefined()
})

test('a device with a new token stays, and so does the device that got its old token', async () => {
  const token = newToken()
  const id = await devices.register({ token })
  await devices.register({ id })
  const heir = await devices.register({ token })
  expect(await devices.store.removeGone('fcm', [{ deviceId: uuidOf(id), token }], later())).toBe(0)
  expect(await devices.find(id)).toBeDefined()
  expect(await devices.find(heir)).toBeDefined()
})

test('a device that was registered again after the report of its dead token stays', async () => {
  const token = newToken()
  const deviceId = await devices.register({ token })
  const before = Date.now() - MINUTE_MS
  expect(await devices.store.removeGone('fcm', [{ deviceId: uuidOf(deviceId), token }], before)).toBe(0)
  expect(await devices.store.removeGone('fcm', [{ deviceId: uuidOf(deviceId), token, sinceMs: before }], later())).toBe(
    0,
  )
  expect(await devices.store.removeGone('fcm', [{ deviceId: uuidOf(deviceId), token, sinceMs: later() }], before)).toBe(
    1,
  )
})

test('an update without a registration does not keep a device with a dead token', async () => {
  const token = newToken()
  const deviceId = await devices.register({ token })
  // Both happened a while ago, the update after the push.
  await devices.sql`update devices set registered_at = now() - interval '2 min', updated_at = now()`
  expect(await devices.store.removeGone('fcm', [{ deviceId: uuidOf(deviceId), token }], Date.now() - MINUTE_MS)).toBe(1)
})

test('a token that is reported twice removes one device', async () => {
  const token = newToken()
  const deviceId = await devices.register({ token })
  const gone = [
    { deviceId: uuidOf(deviceId), token },
    { deviceId: '', token },
  ]
  expect(await devices.store.removeGone('fcm', gone, later())).toBe(1)
  expect(await devices.store.removeGone('fcm', gone, later())).toBe(0)
})

test('a removed device is deleted after a week', async () => {
  await devices.sql`
    insert into removed_devices (removed_at, provider, reason, device)
    select clock_timestamp() - age, 1, 'test', '{}' from unnest(array[interval '6 days', '8 days', '9 days']) as age`
  await devices.store.cleanUp()
  expect(await devices.sql`select from removed_devices`).toHaveLength(1)
})
