import { createECDH, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ProviderName } from '../../src/config/provider-names.ts'
import type { DeviceFilter } from '../../src/devices/device-filter.ts'
import { formatDeviceId } from '../../src/devices/device-id.ts'
import type { TargetLines } from '../../src/devices/target-page.ts'
import { decodeTarget } from '../../src/queue/targets.ts'
import { type Devices, openDevices } from './methods.ts'

let devices: Devices
const NOBODY: DeviceFilter = { ids: [], users: [], topics: [], providers: [], platforms: [] }
const ALL_TOPICS = { ...NOBODY, topics: ['all'] }
const PROVIDERS = ['fcm', 'hms', 'fcm', 'apns', 'fcm'] as const

beforeAll(async () => {
  devices = await openDevices()
  const register = (index: number) =>
    devices.register({
      token: `t${index}`,
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

function readTargets({ provider, lines, count }: TargetLines): Target[] {
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
    const page = await devices.store.pageTargets({ ...NOBODY, ...filter }, after, limit)
    // Its end can be found without reading it.
    expect(await devices.store.findPageEnd({ ...NOBODY, ...filter }, after, limit)).toBe(page.next)
    const targets = page.groups.flatMap(readTargets)
    expect(targets.length).toBeLessThanOrEqual(limit)
    // Each group of a page is in order, and all of them are before the next page.
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
])('a walk of %j returns each of its devices once, page after page in the order of ids', async (filter, count) => {
  for (const limit of [1, 7, 25, 1000]) {
    const ids = (await walk(filter, limit)).map(({ id }) => id)
    expect(ids).toHaveLength(count)
    expect(ids).toEqual([...new Set(ids)].sort())
  }
})

test('a target has the fields of its device', async () => {
  const targets = await walk(ALL_TOPICS, 7)
  for (const target of targets) {
    const { id, provider, token, platform, user = '' } = (await devices.find(target.id)) ?? {}
    expect(target).toEqual({ id, provider, token, platform, user })
  }
})

test('a Web Push target has its encryption keys, and its endpoint as the token', async () => {
  const keys = {
    p256dh: createECDH('prime256v1').generateKeys('base64url'),
    auth: randomBytes(16).toString('base64url'),
  }
  const endpoint = 'https://fcm.googleapis.com/x'
  const token = JSON.stringify({ endpoint, keys })
  await devices.register({ provider: 'webpush', platform: 'web', token, user: 'u', topics: ['browsers'] })
  const { groups } = await devices.store.pageTargets({ ...NOBODY, topics: ['browsers'] }, undefined, 10)
  const target = decodeTarget(String(groups[0]?.lines))
  expect(target).toMatchObject({ value: endpoint, user: 'u', platform: 'web' })
  expect(JSON.parse(target.keys)).toEqual(keys)
})

test('a page has one group per provider, with lines in the order of ids', async () => {
  const { groups } = await devices.store.pageTargets(ALL_TOPICS, undefined, 100)
  expect(groups.map(({ provider, count }) => [provider, count])).toEqual([
    ['fcm', 30],
    ['hms', 10],
    ['apns', 10],
  ])
  for (const { lines } of groups) expect(linesOf(lines)).toEqual(linesOf(lines).sort())
})
