import { afterEach, beforeEach, expect, test } from 'vitest'
import { formatDeviceId, makeDeviceUuid } from '../../src/devices/device-id.ts'
import { type Devices, errorKind, newToken, openDevices } from './methods.ts'

let devices: Devices

beforeEach(async () => {
  devices = await openDevices()
})

afterEach(() => devices.drop())

function times<T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => make(index)))
}

/** A subscription whose device is gone. */
async function countOrphans(): Promise<number> {
  const rows = await devices.sql`
    select from device_topics t where not exists (select from devices d where d.id = t.device_id)`
  return rows.length
}

test('64 first registrations of one token at once: one device, each answer its id or a conflict', async () => {
  const token = newToken()
  const answers = await times(64, () => devices.register({ token, topics: ['t'] }).catch((error) => error.kind))
  const { items } = await devices.list({})
  expect(items).toHaveLength(1)
  const ids = answers.filter((answer) => answer !== 'conflict')
  expect(new Set(ids)).toEqual(new Set([items[0]?.id]))
  expect(await devices.register({ token })).toBe(items[0]?.id)
})

test('two ids that fight for one token: one device is left, and it has the token', async () => {
  const token = newToken()
  const ids = await times(2, () => devices.register({ topics: ['t'] }))
  const kinds = await times(40, (index) => errorKind(devices.register({ id: ids[index % 2], token, topics: ['t'] })))
  expect(kinds.filter((kind) => kind !== 'none' && kind !== 'conflict')).toEqual([])
  const { items } = await devices.list({})
  expect(items.map((device) => device.token)).toEqual([token])
  expect(await countOrphans()).toBe(0)
})

/** Resolves when that many statements wait for a lock. */
async function untilWaiting(count: number): Promise<void> {
  for (;;) {
    const waiting = await devices.sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    if (waiting.length >= count) return
  }
}

test("a registration under way does not miss a change of its user's topics", async () => {
  const uuid = makeDeviceUuid(Date.now())
  await devices.updateUser({ user: '', op: 'set', topics: ['held'] })
  // Holds the registration up at its last step, when it has read the user's topics and nobody sees its device yet.
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

test('a thousand operations at random leave no orphan, no double token and no unexpected error', async () => {
  const tokens = Array.from({ length: 6 }, newToken)
  const ids = await times(6, () => devices.register())
  const users = ['', 'u', 'v']
  // A generator of its own, so that a failure can be repeated.
  let seed = 1
  const pick = <T>(values: readonly T[]): T | undefined => {
    seed = (seed * 48_271) % 2_147_483_647
    return values[seed % values.length]
  }
  const topics = () => [pick(['a', 'b', 'c', 'd']), pick(['e', 'f'])]
  const operations = [
    () => devices.register({ token: pick(tokens), user: pick(users), topics: topics() }),
    () => devices.register({ id: pick(ids), token: pick(tokens), user: pick(users), topics: topics() }),
    () => devices.update({ users: ['u', 'v'], topics_update: { op: 'set', topics: topics() } }),
    () => devices.update({ ids, user_update: { user: pick(users) } }),
    () => devices.remove({ ids: [pick(ids), pick(ids)] }),
    () => devices.remove({ users: [pick(users)] }),
    () => devices.updateUser({ user: pick(users), op: pick(['add', 'remove', 'set']), topics: topics() }),
    () => devices.updateTopics({ device_id: pick(ids), op: 'add', topics: topics() }),
    () =>
      devices.store.removeGone(
        'fcm',
        tokens.map((token) => ({ deviceId: '', token })),
        Date.now(),
      ),
  ]
  const kinds = await times(1000, () => errorKind(pick(operations)?.() ?? Promise.resolve()))
  expect([...new Set(kinds)].filter((kind) => !['none', 'conflict', 'notFound'].includes(kind))).toEqual([])
  expect(await countOrphans()).toBe(0)
  const twice = await devices.sql`select token from devices group by provider, token having count(*) > 1`
  expect(twice).toEqual([])
})
