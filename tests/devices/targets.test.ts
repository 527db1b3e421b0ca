import { createECDH, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ProviderName } from '../../src/config/provider-names.ts'
import { formatDeviceId } from '../../src/devices/device-id.ts'
import type { TargetGroup } from '../../src/devices/target-page.ts'
import type { DeviceFilter } from '../../src/sends/recipient.ts'
import { decodeTarget } from '../../src/sends/target-line.ts'
import { makeDeviceToken } from '../../src/simulators/apns/device-name.ts'
import { type Devices, openDevices } from './methods.ts'

let devices: Devices
const NO_FILTER: DeviceFilter = { ids: [], users: [], topics: [], providers: [], platforms: [] }
const ALL_TOPICS = { ...NO_FILTER, topics: ['all'] }
const PROVIDERS = ['fcm', 'hms', 'fcm', 'apns', 'fcm'] as const

beforeAll(async () => {
  devices = await openDevices()
  const register = (index: number) =>
    devices.register({
      token: index % PROVIDERS.length === 3 ? makeDeviceToken(`t${index}`) : `t${index}`,
      provider: PROVIDERS[index % PROVIDERS.length],
      platform: index % PROVIDERS.length === 3 ? 'ios' : 'android',
      user: index < 48 ? `u${index % 5}` : '',
      topics: index % 2 ? ['odd', 'all'] : ['even', 'all'],
    })
  await Promise.all(Array.from({ length: 50 }, (_, index) => register(index)))
})

afterAll(() => devices.drop())

interface Target {
  id: string
  provider: ProviderName
  token: string | undefined
  user: string | undefined
  platform: string | undefined
}

const linesOf = (lines: Buffer) => lines.toString().split('\n')

function readTargets({ provider, lines, count }: TargetGroup): Target[] {
  const targets = linesOf(lines).map((line) => {
    const [uuid = '', token, user, platform] = line.split('\t')
    return { id: formatDeviceId(uuid, provider), provider, token, user, platform }
  })
  expect(count).toBe(targets.length)
  return targets
}

async function walk(filter: Partial<DeviceFilter>, limit: number): Promise<Target[]> {
  const found: Target[] = []
  let after: string | undefined
  do {
    const page = await devices.store.pageTargets({ ...NO_FILTER, ...filter }, { after, limit })
    const targets = page.groups.flatMap(readTargets)
    expect(targets.length).toBeLessThanOrEqual(limit)
    // Each group of a page is in order, and the whole page comes before the next one.
    found.push(...targets.sort((a, b) => (a.id < b.id ? -1 : 1)))
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
  [{ providers: ['apns'] }, 10],
  [{ providers: ['webpush'] }, 0],
  [{ topics: ['unknown'] }, 0],
  [{ ids: ['not an id'] }, 0],
])('the pages of %j have each matching device once, in the order of ids', async (filter, count) => {
  for (const limit of [1, 7, 25, 1000]) {
    const ids = (await walk(filter, limit)).map(({ id }) => id)
    expect(ids).toHaveLength(count)
    expect(ids).toEqual([...new Set(ids)].sort())
  }
})

test.each([1, 7, 25, 1000])('ranges of %i devices follow each other and have all devices, each once', async (size) => {
  const filter = { ...NO_FILTER, topics: ['odd'] }
  const all = (await devices.store.pageTargets(filter, { after: undefined, limit: 1000 })).groups.flatMap(readTargets)
  const found: Target[] = []
  const sizes: number[] = []
  let after: string | undefined
  let hasMore = true
  while (hasMore) {
    // Pages of two ranges.
    const ranges = await devices.store.findRanges(filter, { after, limit: 2 * size, size })
    expect(ranges.ends.length).toBeLessThanOrEqual(2)
    for (const until of ranges.ends) {
      const { groups } = await devices.store.pageTargets(filter, { after, limit: size })
      const inRange = groups
        .flatMap(readTargets)
        .filter(({ id }) => id.slice(0, 26) <= formatDeviceId(until, 'fcm').slice(0, 26))
      sizes.push(inRange.length)
      found.push(...inRange)
      after = until
    }
    hasMore = ranges.hasMore
  }
  expect(sizes.slice(0, -1).filter((count) => count !== size)).toEqual([])
  expect(found.map(({ id }) => id).sort()).toEqual(all.map(({ id }) => id).sort())
})

test.each([
  [{ topics: ['all'] }, 50],
  [{ topics: ['odd', 'even', 'all', 'unknown'] }, 50],
  [{ topics: ['odd'], providers: ['fcm'] }, 15],
  [{ providers: ['fcm', 'apns', 'hms', 'webpush'] }, 50],
  [{ providers: ['apns'], platforms: ['ios'] }, 10],
  [{ providers: ['webpush'] }, 0],
  [{ topics: ['unknown'] }, 0],
])('the ranges of %j end where pages of the same size end', async (filter, count) => {
  const { ends, hasMore } = await devices.store.findRanges(
    { ...NO_FILTER, ...filter },
    { after: undefined, limit: 1000, size: 7 },
  )
  const expected: (string | undefined)[] = []
  for (let after: string | undefined; expected.length < ends.length; after = expected.at(-1)) {
    const page = await devices.store.pageTargets({ ...NO_FILTER, ...filter }, { after, limit: 7 })
    const last = page.groups
      .flatMap(({ lines }) => linesOf(lines))
      .sort()
      .at(-1)
    expected.push(last?.slice(0, 36))
  }
  expect(ends).toEqual(expected)
  expect(ends).toHaveLength(Math.ceil(count / 7))
  expect(hasMore).toBe(false)
})

test('a target has the fields of its registered device', async () => {
  const targets = await walk(ALL_TOPICS, 7)
  for (const target of targets) {
    const { id, provider, token, platform, user = '' } = (await devices.find(target.id)) ?? {}
    expect(target).toEqual({ id, provider, token, platform, user })
  }
})

test('a Web Push target has its encryption keys, and its endpoint as value', async () => {
  const keys = {
    p256dh: createECDH('prime256v1').generateKeys('base64url'),
    auth: randomBytes(16).toString('base64url'),
  }
  const endpoint = 'https://fcm.googleapis.com/x'
  const token = JSON.stringify({ endpoint, keys })
  await devices.register({ provider: 'webpush', platform: 'web', token, user: 'u', topics: ['browsers'] })
  const { groups } = await devices.store.pageTargets(
    { ...NO_FILTER, topics: ['browsers'] },
    { after: undefined, limit: 10 },
  )
  const target = decodeTarget(String(groups[0]?.lines))
  expect(target).toMatchObject({ value: endpoint, user: 'u', platform: 'web' })
  expect(JSON.parse(target.keys)).toEqual(keys)
})

test('a page has one group for each of its providers, with lines in the order of ids', async () => {
  const { groups } = await devices.store.pageTargets(ALL_TOPICS, { after: undefined, limit: 100 })
  expect(groups.map(({ provider, count }) => [provider, count])).toEqual([
    ['fcm', 30],
    ['hms', 10],
    ['apns', 10],
  ])
  for (const { lines } of groups) expect(linesOf(lines)).toEqual(linesOf(lines).sort())
})
