import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Devices, errorKind, openDevices } from './methods.ts'

let devices: Devices

beforeEach(async () => {
  devices = await openDevices()
})

afterEach(() => devices.drop())

async function listedUsers(): Promise<(string | undefined)[]> {
  return (await devices.list({})).items.map(({ user }) => user)
}

test('device_update changes only the given fields', async () => {
  const id = await devices.register({ user: 'u', timezone: 'UTC', locale: 'en', meta: { a: 'b' }, topics: ['t'] })
  await devices.update({ ids: [id], timezone_update: { timezone: 'Asia/Tokyo' }, meta_update: { meta: { c: 'd' } } })
  const changed = { user: 'u', timezone: 'Asia/Tokyo', locale: 'en', meta: { c: 'd' }, topics: ['t'] }
  expect(await devices.find(id)).toMatchObject(changed)
  await devices.update({ ids: [id], user_update: {}, locale_update: {}, meta_update: {} })
  const cleared = await devices.find(id)
  expect(cleared).toMatchObject({ timezone: 'Asia/Tokyo', topics: ['t'] })
  for (const field of ['user', 'locale', 'meta']) expect(cleared).not.toHaveProperty(field)
})

test('ids and users together select the devices that match both', async () => {
  const [a, b] = [await devices.register({ user: 'u' }), await devices.register({ user: 'v' })]
  await devices.update({ ids: [a, b], users: ['u'], user_update: { user: 'w' } })
  expect(await listedUsers()).toEqual(['w', 'v'])
  await devices.remove({ ids: [a, b], users: ['v'] })
  expect(await listedUsers()).toEqual(['w'])
})

test('device_remove removes the topics of the devices', async () => {
  const id = await devices.register({ topics: ['t'], user: 'u' })
  await devices.register({ topics: ['t'], user: 'v' })
  await devices.remove({ users: ['u'] })
  expect(await devices.find(id)).toBeUndefined()
  const left = await devices.sql`select device_id from device_topics`
  expect(left).toHaveLength(1)
})

test('the removal of an unknown device is no error', async () => {
  expect(await devices.remove({ ids: ['01ARZ3NDEKTSV4RRFFQ69G5FAV-fcm'] })).toEqual({})
})

test.each([
  ['device_update without ids and users', () => devices.update({ user_update: { user: 'u' } })],
  ['device_remove without ids and users', () => devices.remove({})],
  ['device_update without an update', () => devices.update({ users: ['u'] })],
  ['device_update with an id that is none', () => devices.update({ ids: ['x'], user_update: { user: 'u' } })],
  ['device_remove with an id that is none', () => devices.remove({ ids: ['x'] })],
])('%s is a bad request and changes no device', async (_, call) => {
  await devices.register({ user: 'stays' })
  expect(await errorKind(call())).toBe('badRequest')
  expect(await listedUsers()).toEqual(['stays'])
})
