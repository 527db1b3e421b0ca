import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Devices, errorKind, openDevices } from './methods.ts'

let devices: Devices
let id: string

beforeAll(async () => {
  devices = await openDevices()
  id = await devices.register({ user: 'owner', topics: ['kept'] })
})

afterAll(() => devices.drop())

test('an update for the owner is applied', async () => {
  await devices.updateTopics({ device_id: id, op: 'set', topics: ['kept'], user: 'owner' })
  expect((await devices.find(id))?.topics).toEqual(['kept'])
})

test('an update for another user is a conflict and changes nothing', async () => {
  const call = devices.updateTopics({ device_id: id, op: 'set', topics: ['leaked'], user: 'other' })
  expect(await errorKind(call)).toBe('conflict')
  expect((await devices.find(id))?.topics).toEqual(['kept'])
})

test('an update of an unknown device is not found, with and without a user', async () => {
  for (const user of ['', 'owner']) {
    const call = devices.updateTopics({ device_id: '01ARZ3NDEKTSV4RRFFQ69G5FAV-fcm', op: 'set', topics: ['a'], user })
    expect(await errorKind(call)).toBe('notFound')
  }
})

test("an id with another provider's name is not the id of the device", async () => {
  const call = devices.updateTopics({ device_id: id.replace('fcm', 'apns'), op: 'add', topics: ['a'] })
  expect(await errorKind(call)).toBe('notFound')
})
