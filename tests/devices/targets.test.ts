import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DeviceFilter } from '../../src/devices/device-filter.ts'
import { type Devices, openDevices } from './methods.ts'

let devices: Devices
const NOBODY: DeviceFilter = { ids: [], users: [], topics: [], providers: [], platforms: [] }

beforeAll(async () => {
  devices = await openDevices()
  const register = (index: number) =>
    devices.register({
      token: `t${index}`,
      user: `u${index % 5}`,
      topics: index % 2 ? ['odd', 'all'] : ['even', 'all'],
    })
  await Promise.all(Array.from({ length: 50 }, (_, index) => register(index)))
})

afterAll(() => devices.drop())

async function walk(filter: Partial<DeviceFilter>, limit: number): Promise<string[]> {
  const found: string[] = []
  let after: string | undefined
  do {
    const page = await devices.store.pageTargets({ ...NOBODY, ...filter }, after, limit)
    expect(page.targets.length).toBeLessThanOrEqual(limit)
    found.push(...page.targets.map(({ deviceId }) => deviceId))
    after = page.next
  } while (after !== undefined)
  return found
}

test.each([
  [{ topics: ['all'] }, 50],
  [{ topics: ['odd'] }, 25],
  [{ topics: ['odd', 'even', 'all', 'unknown'] }, 50],
  [{ topics: ['odd'], users: ['u1'] }, 5],
  [{ users: ['u0', 'u1'] }, 20],
  [{ providers: ['fcm', 'apns', 'hms', 'webpush'] }, 50],
  [{ providers: ['apns'] }, 0],
  [{ topics: ['unknown'] }, 0],
  [{ ids: ['not an id'] }, 0],
])('a walk of %j meets each of its devices once, in order', async (filter, count) => {
  for (const limit of [1, 7, 25, 1000]) {
    const found = await walk(filter, limit)
    expect(found).toHaveLength(count)
    expect(found).toEqual([...new Set(found)].sort())
  }
})

test('a target is what a provider needs to know', async () => {
  const { targets } = await devices.store.pageTargets({ ...NOBODY, topics: ['all'] }, undefined, 100)
  expect(targets.map(({ token }) => token).sort()).toEqual(Array.from({ length: 50 }, (_, i) => `t${i}`).sort())
  expect(new Set(targets.map(({ provider }) => provider))).toEqual(new Set(['fcm']))
})
