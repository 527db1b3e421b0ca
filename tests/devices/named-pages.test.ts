// Concurrent reads of recipients that name a few users or devices share a statement, and have the same results as
// reads one by one.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pageTargets, type TargetPage } from '../../src/devices/target-page.ts'
import type { DeviceFilter } from '../../src/sends/recipient.ts'
import type { OptionalField } from '../../src/sends/target-line.ts'
import { fc } from '../support/fast-check.ts'
import { type Devices, openDevices } from './methods.ts'

const LIMIT = 10_000
const OTHERS = 20_000
const NO_FILTER: DeviceFilter = { ids: [], users: [], topics: [], providers: [], platforms: [] }
/** The devices of each user: one has more than a shared statement reads. */
const DEVICES = { none: 0, one: 1, two: 2, five: 5, many: 30 }
const PROVIDERS = ['fcm', 'hms', 'fcm'] as const

let devices: Devices
const ids: string[] = []

beforeAll(async () => {
  devices = await openDevices()
  for (const [user, count] of Object.entries(DEVICES)) {
    for (let index = 0; index < count; index++) {
      const provider = PROVIDERS[index % PROVIDERS.length] ?? 'fcm'
      const token = `${user}-${index}`
      ids.push(await devices.register({ token, provider, platform: 'android', user, locale: index % 2 ? 'de' : 'en' }))
    }
  }
  // Not the provider of that device.
  ids.push(`${ids[0]?.split('-')[0]}-apns`, 'no id')
})

afterAll(() => devices.drop())

/** The lines of each provider, without their order. */
function describePage({ groups, next }: TargetPage) {
  const lines = groups.map(({ provider, count, lines }) => [provider, count, lines.toString().split('\n').toSorted()])
  return { groups: lines.toSorted(), next }
}

function chooseFilter(): fc.Arbitrary<DeviceFilter> {
  const users = fc.array(fc.constantFrom(...Object.keys(DEVICES), 'nobody', ''), { maxLength: 6 })
  const names = fc.array(fc.constantFrom(...ids), { maxLength: 6 })
  const providers = fc.constantFrom([], [], ['hms'])
  return fc.oneof(
    fc.record({ users, providers }).map((given) => ({ ...NO_FILTER, ...given })),
    fc.record({ ids: names, providers }).map((given) => ({ ...NO_FILTER, ...given })),
    fc.record({ users, ids: names }).map((given) => ({ ...NO_FILTER, ...given })),
  )
}

const USED: OptionalField[][] = [[], [], ['locale'], ['locale', 'meta'], ['timezone']]

test('concurrent reads of named users and devices have the results of single reads', async () => {
  const read = fc.record({ filter: chooseFilter(), used: fc.constantFrom(...USED) })
  await fc.assert(
    fc.asyncProperty(fc.array(read, { minLength: 1, maxLength: 20 }), async (reads) => {
      const pages = await Promise.all(
        reads.map(({ filter, used }) => devices.store.pageTargets(filter, { after: undefined, limit: LIMIT, used })),
      )
      for (const [index, { filter, used }] of reads.entries()) {
        const single = await pageTargets(devices.sql, filter, { after: undefined, limit: LIMIT, used })
        expect(describePage(pages[index] ?? { groups: [], next: '' })).toEqual(describePage(single))
      }
    }),
    { numRuns: 40 },
  )
})

test('a shared statement reads the named devices by an index, also before the table has statistics', async () => {
  const { sql, store } = devices
  await sql`
    insert into devices (id, created_at, updated_at, registered_at, provider, platform, token, user_id)
    select gen_random_uuid(), now(), now(), now(), 1, 2, 'other ' || n, 'other ' || n
    from generate_series(1, ${OTHERS}::int) as n`
  const before = await countScans()
  const read = (filter: Partial<DeviceFilter>) =>
    store.pageTargets({ ...NO_FILTER, ...filter }, { after: undefined, limit: LIMIT })
  const pages = await Promise.all([
    ...Array.from({ length: 50 }, (_, n) => read({ users: [`other ${n + 1}`] })),
    ...ids.slice(0, 5).map((id) => read({ ids: [id] })),
  ])
  expect(pages.map(({ groups }) => groups.map(({ count }) => count))).toEqual(pages.map(() => [1]))
  expect(await countScans()).toEqual(before)

  /** Sequential scans of the devices. Each connection reports its own before it is idle for long. */
  async function countScans() {
    await Promise.all(Array.from({ length: sql.options.max }, () => sql`select pg_stat_force_next_flush()`))
    return await sql`select seq_scan from pg_stat_user_tables where relname = 'devices'`
  }
})
