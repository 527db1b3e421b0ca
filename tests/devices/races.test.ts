import { afterEach, beforeEach, expect, test } from 'vitest'
import { formatDeviceId, makeDeviceUuid } from '../../src/devices/device-id.ts'
import { countLockWaits } from '../support/lock-waits.ts'
import { type Devices, errorKind, newToken, openDevices } from './methods.ts'

let devices: Devices

beforeEach(async () => {
  devices = await openDevices()
})

afterEach(() => devices.drop())

function times<T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => make(index)))
}

/** The number of subscriptions without a device. */
async function countOrphans(): Promise<number> {
  const rows = await devices.sql`
    select from device_topics t where not exists (select from devices d where d.id = t.device_id)`
  return rows.length
}

test('64 concurrent registrations of a new token create one device, and each gets its id or a conflict', async () => {
  const token = newToken()
  const answers = await times(64, () => devices.register({ token, topics: ['t'] }).catch((error) => error.kind))
  const { items } = await devices.list({})
  expect(items).toHaveLength(1)
  const ids = answers.filter((answer) => answer !== 'conflict')
  expect(new Set(ids)).toEqual(new Set([items[0]?.id]))
  expect(await devices.register({ token })).toBe(items[0]?.id)
})

test('concurrent registrations of one token under two ids leave one device with the token', async () => {
  const token = newToken()
  const ids = await times(2, () => devices.register({ topics: ['t'] }))
  const kinds = await times(40, (index) => errorKind(devices.register({ id: ids[index % 2], token, topics: ['t'] })))
  expect(kinds.filter((kind) => kind !== 'none' && kind !== 'conflict')).toEqual([])
  const { items } = await devices.list({})
  expect(items.map((device) => device.token)).toEqual([token])
  expect(await countOrphans()).toBe(0)
})

/** Resolves when this many statements wait for a lock. */
async function untilWaiting(count: number): Promise<void> {
  while ((await countLockWaits(devices.sql)) < count);
}

test("a running registration does not miss a change of its user's topics", async () => {
  const uuid = makeDeviceUuid(Date.now())
  await devices.updateUser({ user: '', op: 'set', topics: ['held'] })
  // Blocks the registration at its last step: it has read the user's topics, and its device is not visible yet.
  const holder = await devices.sql.reserve()
  await holder`begin`
  await holder`insert into device_topics (topic_id, device_id) select id, ${uuid} from topics`
  const registering = devices.register({ id: formatDeviceId(uuid, 'fcm'), user: 'u' })
  await untilWaiting(1)
  const updating = devices.updateUser({ user: 'u', op: 'add', topics: ['late'] })
  await Promise.race([updating, untilWaiting(2)])
  await holder`rollback`
  holder.release()
  await updating
  expect((await devices.find(await registering))?.topics).toEqual(['held', 'late'])
})

test('concurrent sets leave one of the lists, not a mixture', async () => {
  const id = await devices.register({ user: 'u' })
  const lists = Array.from({ length: 8 }, (_, index) => [`a${index}`, `b${index}`])
  await Promise.all(lists.map((topics) => devices.updateUser({ user: 'u', op: 'set', topics })))
  const { items } = await devices.listUsers({ filter: { users: ['u'] } })
  const left = items.map(({ topic }) => topic).sort()
  expect(lists).toContainEqual(left)
  expect((await devices.find(id))?.topics).toEqual(left)
  await Promise.all(lists.map((topics) => devices.updateTopics({ device_id: id, op: 'set', topics })))
  expect(lists).toContainEqual((await devices.find(id))?.topics)
})
