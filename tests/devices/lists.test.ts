import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeDeviceToken } from '../../src/simulators/apns/device-name.ts'
import { type Devices, errorKind, openDevices } from './methods.ts'

let devices: Devices
/** In the order of their registration, which is the order of their ids. */
const ids: string[] = []

beforeAll(async () => {
  devices = await openDevices()
  const registrations = [
    { provider: 'fcm', platform: 'android', user: 'a', topics: ['news', 'sport'] },
    { provider: 'fcm', platform: 'web', user: 'a', topics: ['news'] },
    { provider: 'apns', platform: 'ios', user: 'b', topics: ['sport', '50%_off'] },
    { provider: 'hms', platform: 'android', user: 'b', topics: ['50%_on'] },
    { provider: 'apns', platform: 'ios', user: '', topics: ['500_off'] },
  ]
  for (const [index, registration] of registrations.entries()) {
    const token = `token-${index}`
    const isApns = registration.provider === 'apns'
    ids.push(await devices.register({ ...registration, token: isApns ? makeDeviceToken(token) : token }))
  }
  await devices.updateUser({ user: 'x', op: 'add', topics: ['news', 'sport', '50%_off'] })
  await devices.updateUser({ user: 'y', op: 'add', topics: ['news'] })
  await devices.updateUser({ user: '', op: 'add', topics: ['50%_on', '500_off'] })
})

afterAll(() => devices.drop())

async function indexesOf(filter: object): Promise<number[]> {
  const { items } = await devices.list({ filter })
  return items.map(({ id }) => ids.indexOf(id))
}

test.each([
  [{}, [0, 1, 2, 3, 4]],
  [{ users: ['a'] }, [0, 1]],
  [{ users: ['a', 'b'] }, [0, 1, 2, 3]],
  [{ users: [''] }, [4]],
  [{ topics: ['news'] }, [0, 1]],
  [{ topics: ['news', 'sport'] }, [0, 1, 2]],
  [{ topics: ['unknown'] }, []],
  [{ topics: ['unknown', 'news'] }, [0, 1]],
  [{ providers: ['apns'] }, [2, 4]],
  [{ providers: ['apns', 'hms'], platforms: ['android'] }, [3]],
  [{ platforms: ['web', 'ios'] }, [1, 2, 4]],
  [{ users: ['a'], topics: ['sport'] }, [0]],
  [{ users: ['b'], topics: ['news'] }, []],
  [{ topics: ['news', 'sport'], platforms: ['ios', 'web'] }, [1, 2]],
])('device_list with %j: any value of a field, all fields', async (filter, expected) => {
  expect(await indexesOf(filter)).toEqual(expected)
  const { total_count } = await devices.list({ filter, include_total_count: true, limit: 1 })
  expect(total_count ?? 0).toBe(expected.length)
})

test('device_list finds devices by their ids, and none by an id with another provider', async () => {
  expect(await indexesOf({ ids: [ids[3], ids[1], ids[1]] })).toEqual([1, 3])
  expect(await indexesOf({ ids: [ids[3]], users: ['a'] })).toEqual([])
  expect(await indexesOf({ ids: [ids[0]?.replace('fcm', 'hms')] })).toEqual([])
})

test('topics, meta, keys and the total are included only on request', async () => {
  const { items, ...rest } = await devices.list({ limit: 1 })
  expect(items[0]).not.toHaveProperty('topics')
  expect(rest).toEqual({ next_cursor: ids[0] })
})

test.each([{}, { topics: ['news', 'sport'] }, { users: ['a', 'b'] }, { topics: ['sport'] }])(
  'pages of one device with %j add up to the whole list',
  async (filter) => {
    const seen: number[] = []
    let cursor = ''
    do {
      const page = await devices.list({ filter, limit: 1, cursor })
      seen.push(...page.items.map(({ id }) => ids.indexOf(id)))
      cursor = page.next_cursor ?? ''
    } while (cursor !== '')
    expect(seen).toEqual(await indexesOf(filter))
  },
)

test('only a page before the last one has a cursor', async () => {
  expect(await devices.list({ limit: 5 })).not.toHaveProperty('next_cursor')
  expect(await devices.list({ limit: 4 })).toHaveProperty('next_cursor', ids[3])
})

test('a list without items has an empty array', async () => {
  expect(await devices.list({ filter: { users: ['nobody'] } })).toEqual({ items: [] })
  expect(await devices.listTopics({ filter: { topics: ['none'] } })).toEqual({ items: [] })
  expect(await devices.listUsers({ filter: { users: ['nobody'] } })).toEqual({ items: [] })
})

test('a page has 100 items by default, and at most 1,000', async () => {
  const topics = Array.from({ length: 1100 }, (_, index) => `many-${index}`)
  await devices.updateUser({ user: 'many', op: 'add', topics })
  const countWith = async (limit: number) => {
    const { items, next_cursor } = await devices.listUsers({ filter: { users: ['many'] }, limit })
    return [items.length, next_cursor !== undefined]
  }
  expect(await countWith(0)).toEqual([100, true])
  expect(await countWith(500)).toEqual([500, true])
  expect(await countWith(5000)).toEqual([1000, true])
  await devices.updateUser({ user: 'many', op: 'set' })
})

test.each(['list', 'listTopics', 'listUsers'] as const)(
  '%s refuses a negative limit and a foreign cursor',
  async (name) => {
    expect(await errorKind(devices[name]({ limit: -1 }))).toBe('badRequest')
    for (const cursor of ['x', '-1', "' or 1=1", 'ffffffff-a', `0000000g-${ids[0]}`]) {
      expect(await errorKind(devices[name]({ cursor }))).toBe('badRequest')
    }
  },
)

async function pairs(filter: object): Promise<string[]> {
  const { items } = await devices.listTopics({ filter })
  return items.map((item) => `${ids.indexOf(item.device_id)} ${item.topic}`).sort()
}

test.each([
  [{ device_users: ['a'] }, ['0 news', '0 sport', '1 news']],
  [{ device_users: ['a'], topics: ['sport'] }, ['0 sport']],
  [{ device_providers: ['apns'] }, ['2 50%_off', '2 sport', '4 500_off']],
  [{ device_platforms: ['web'] }, ['1 news']],
  [{ topics: ['news'] }, ['0 news', '1 news']],
  [{ topic_prefix: '50' }, ['2 50%_off', '3 50%_on', '4 500_off']],
  [{ topic_prefix: '50%_o' }, ['2 50%_off', '3 50%_on']],
  [{ topic_prefix: '50__' }, []],
  [{ topic_prefix: '50%', device_platforms: ['android'] }, ['3 50%_on']],
])('device_topic_list with %j', async (filter, expected) => {
  expect(await pairs(filter)).toEqual(expected)
})

test('device_topic_list by device ids', async () => {
  expect(await pairs({ device_ids: [ids[0], ids[3]] })).toEqual(['0 news', '0 sport', '3 50%_on'])
})

test('device_topic_list always has the id of the device, and the whole device on request', async () => {
  const filter = { device_users: ['a'], topics: ['sport'] }
  const [bare] = (await devices.listTopics({ filter })).items
  expect(bare).toEqual({ id: bare?.id, device_id: ids[0], topic: 'sport', device: { id: ids[0] } })
  const [full] = (await devices.listTopics({ filter, include_device: true })).items
  expect(full?.device).toMatchObject({ id: ids[0], user: 'a', token: 'token-0', platform: 'android' })
})

test.each(['listTopics', 'listUsers'] as const)(
  '%s pages by the ids of its items, which are in order',
  async (name) => {
    const all = await devices[name]({ include_total_count: true })
    const itemIds = all.items.map(({ id }) => id)
    expect([...itemIds].sort()).toEqual(itemIds)
    expect(all.total_count).toBe(itemIds.length)
    const paged: string[] = []
    let cursor = ''
    do {
      const page = await devices[name]({ cursor, limit: 2 })
      paged.push(...page.items.map(({ id }) => id))
      cursor = page.next_cursor ?? ''
    } while (cursor !== '')
    expect(paged).toEqual(itemIds)
  },
)

test('user_topic_list filters by users, topics and prefix', async () => {
  const list = async (filter: object) => {
    const { items } = await devices.listUsers({ filter })
    return items.map(({ user = '', topic }) => `${user}:${topic}`).sort()
  }
  expect(await list({ users: ['y'] })).toEqual(['y:news'])
  expect(await list({ topics: ['news'] })).toEqual(['x:news', 'y:news'])
  expect(await list({ users: [''], topic_prefix: '50%' })).toEqual([':50%_on'])
  expect(await list({ topic_prefix: '50%_' })).toEqual([':50%_on', 'x:50%_off'])
})
