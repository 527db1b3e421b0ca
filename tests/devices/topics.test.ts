import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Devices, errorKind, newToken, openDevices } from './methods.ts'

let devices: Devices

beforeEach(async () => {
  devices = await openDevices()
})

afterEach(() => devices.drop())

async function topicsOf(id: string): Promise<string[]> {
  return (await devices.find(id))?.topics ?? []
}

async function topicsOfUser(user: string): Promise<string[]> {
  return (await devices.listUsers({ filter: { users: [user] } })).items.map(({ topic }) => topic).sort()
}

test("a registered device follows the given topics, its user's and everyone's", async () => {
  await devices.updateUser({ user: 'u', op: 'add', topics: ['users', 'both'] })
  await devices.updateUser({ user: '', op: 'add', topics: ['everyones'] })
  await devices.updateUser({ user: 'other', op: 'add', topics: ['others'] })
  const id = await devices.register({ user: 'u', topics: ['own', 'both'] })
  expect(await topicsOf(id)).toEqual(['both', 'everyones', 'own', 'users'])
})

test('a registration for another user removes the topics of the previous user and of the device', async () => {
  await devices.updateUser({ user: 'a', op: 'add', topics: ['of-a'] })
  await devices.updateUser({ user: 'b', op: 'add', topics: ['of-b'] })
  const token = newToken()
  const id = await devices.register({ token, user: 'a', topics: ['own'] })
  await devices.register({ id, token, user: 'b' })
  expect(await topicsOf(id)).toEqual(['of-b'])
  await devices.register({ id, token })
  expect(await topicsOf(id)).toEqual([])
})

test("user_topic_update changes the user's devices at once, and no others", async () => {
  const [one, two, other] = await Promise.all(
    ['u', 'u', 'v'].map((user) => devices.register({ user, topics: ['own'] })),
  )
  await devices.updateUser({ user: 'u', op: 'add', topics: ['x', 'y'] })
  for (const id of [one, two]) expect(await topicsOf(id ?? '')).toEqual(['own', 'x', 'y'])
  expect(await topicsOf(other ?? '')).toEqual(['own'])
  await devices.updateUser({ user: 'u', op: 'remove', topics: ['x'] })
  for (const id of [one, two]) expect(await topicsOf(id ?? '')).toEqual(['own', 'y'])
  await devices.updateUser({ user: 'u', op: 'set', topics: ['z'] })
  for (const id of [one, two]) expect(await topicsOf(id ?? '')).toEqual(['own', 'z'])
  expect(await topicsOfUser('u')).toEqual(['z'])
  await devices.updateUser({ user: 'u', op: 'set' })
  for (const id of [one, two]) expect(await topicsOf(id ?? '')).toEqual(['own'])
  expect(await topicsOfUser('u')).toEqual([])
})

test('a topic that is removed from a user stays on the devices while everyone follows it', async () => {
  await devices.updateUser({ user: '', op: 'add', topics: ['news'] })
  await devices.updateUser({ user: 'u', op: 'add', topics: ['news'] })
  const id = await devices.register({ user: 'u' })
  await devices.updateUser({ user: 'u', op: 'remove', topics: ['news'] })
  expect(await topicsOf(id)).toEqual(['news'])
})

test("the removal of a topic that the user does not follow keeps the device's own topic", async () => {
  const id = await devices.register({ user: 'u', topics: ['own'] })
  await devices.updateUser({ user: 'u', op: 'remove', topics: ['own'] })
  expect(await topicsOf(id)).toEqual(['own'])
})

test("a change of everyone's topics reaches a device only at its next registration", async () => {
  const token = newToken()
  const id = await devices.register({ token })
  await devices.updateUser({ user: '', op: 'add', topics: ['news'] })
  expect(await topicsOf(id)).toEqual([])
  await devices.register({ token })
  expect(await topicsOf(id)).toEqual(['news'])
  await devices.updateUser({ user: '', op: 'set' })
  expect(await topicsOf(id)).toEqual(['news'])
})

test('user_update changes only the user', async () => {
  await devices.updateUser({ user: 'a', op: 'add', topics: ['of-a'] })
  await devices.updateUser({ user: 'b', op: 'add', topics: ['of-b'] })
  const id = await devices.register({ user: 'a' })
  await devices.update({ ids: [id], user_update: { user: 'b' } })
  expect(await devices.find(id)).toMatchObject({ user: 'b', topics: ['of-a'] })
})

test('device_topic_update adds, removes, sets and clears', async () => {
  const id = await devices.register({ topics: ['a'] })
  await devices.updateTopics({ device_id: id, op: 'add', topics: ['b', 'a'] })
  expect(await topicsOf(id)).toEqual(['a', 'b'])
  await devices.updateTopics({ device_id: id, op: 'remove', topics: ['a', 'never-there'] })
  expect(await topicsOf(id)).toEqual(['b'])
  await devices.updateTopics({ device_id: id, op: 'set', topics: ['b', 'c'] })
  expect(await topicsOf(id)).toEqual(['b', 'c'])
  await devices.updateTopics({ device_id: id, op: 'set' })
  expect(await topicsOf(id)).toEqual([])
})

test('topics_update changes the topics of every matching device', async () => {
  const ids = await Promise.all([0, 1].map(() => devices.register({ user: 'u', topics: ['a'] })))
  await devices.update({ users: ['u'], topics_update: { op: 'set', topics: ['b'] } })
  for (const id of ids) expect(await topicsOf(id)).toEqual(['b'])
})

test.each([
  ['device_topic_update with nothing to add', () => devices.updateTopics({ device_id: anyId, op: 'add' })],
  ['device_topic_update with nothing to remove', () => devices.updateTopics({ device_id: anyId, op: 'remove' })],
  ['device_topic_update with another op', () => devices.updateTopics({ device_id: anyId, op: 'put', topics: ['a'] })],
  ['device_topic_update without a device', () => devices.updateTopics({ op: 'add', topics: ['a'] })],
  ['user_topic_update with nothing to add', () => devices.updateUser({ user: 'u', op: 'add' })],
  ['user_topic_update without op', () => devices.updateUser({ user: 'u', topics: ['a'] })],
])('%s is a bad request', async (_, call) => {
  expect(await errorKind(call())).toBe('badRequest')
})

const anyId = '01ARZ3NDEKTSV4RRFFQ69G5FAV-fcm'
