// Pages of device_list: page 1000 costs as much as page 1, and no page is slow with any filter.
import type { Sql } from '../../src/database/pool.ts'
import { deviceColumns } from '../../src/devices/device.ts'
import { deviceMatches, resolveFilter } from '../../src/devices/device-filter.ts'
import { FIRST_UUID, formatDeviceId, parseDeviceId } from '../../src/devices/device-id.ts'
import type { DeviceStore } from '../../src/devices/device-store.ts'
import { walkDevices } from '../../src/devices/device-walk.ts'
import type { DeviceFilter } from '../../src/sends/recipient.ts'
import { summarize, time, withSurroundings } from '../harness/measure.ts'
import type { Check } from '../harness/report.ts'
import { TOPICS, USERS } from './device-data.ts'

const PAGE = 100
const LAST_PAGE = 1000
const REPEATS = 200
/** Calls before the measurement, so that all connections have parsed the statement. */
const WARM_UP = 40
const MAX_RATIO = 2
const MAX_PAGE_MS = 25
const NOTHING: DeviceFilter = { ids: [], users: [], topics: [], providers: [], platforms: [] }

/** Each matches more than 100,000 of a million devices. */
const LARGE: Partial<DeviceFilter>[] = [
  {},
  { users: [USERS.shared] },
  { users: [USERS.shared, USERS.one] },
  { topics: [TOPICS.all] },
  { topics: [TOPICS.fifth] },
  { topics: [TOPICS.fifth, 'topic:000001'] },
  { providers: ['fcm'] },
  { providers: ['apns'] },
  { providers: ['apns', 'hms'] },
  { platforms: ['android'] },
  { platforms: ['web'] },
  { platforms: ['web', 'ios'] },
  { providers: ['fcm'], platforms: ['web'] },
  { providers: ['fcm', 'apns'], platforms: ['web', 'ios'] },
  { topics: [TOPICS.all], providers: ['apns'] },
  { topics: [TOPICS.fifth], providers: ['fcm'] },
  { topics: [TOPICS.all], platforms: ['web'] },
  { topics: [TOPICS.fifth], platforms: ['android'] },
  { topics: [TOPICS.all], users: [USERS.shared] },
  { users: [USERS.shared], providers: ['fcm'] },
  { users: [USERS.shared], platforms: ['android', 'ios'] },
]

/** Each matches few devices or none. */
const RARE: Partial<DeviceFilter>[] = [
  { users: [USERS.one] },
  { users: ['nobody'] },
  { users: Array.from({ length: 1000 }, (_, n) => `user:${String(n * 807 + 5).padStart(15, '0')}`) },
  { topics: [TOPICS.rare] },
  { topics: ['unknown'] },
  { topics: [TOPICS.rare, TOPICS.otherRare] },
  { topics: Array.from({ length: 100 }, (_, n) => `topic:${String(1000 + n).padStart(6, '0')}`) },
  { providers: ['hms'] },
  { providers: ['webpush'] },
  { providers: ['hms', 'webpush'] },
  { providers: ['hms'], platforms: ['ios'] },
  { providers: ['webpush'], platforms: ['web'] },
  { providers: ['apns'], platforms: ['android'] },
  { topics: [TOPICS.rare], providers: ['hms'] },
  { topics: [TOPICS.rare], users: [USERS.shared] },
  { topics: [TOPICS.all], providers: ['hms'] },
  { topics: [TOPICS.all], providers: ['webpush'] },
  { topics: [TOPICS.all, TOPICS.fifth], providers: ['webpush'] },
  { topics: [TOPICS.all], providers: ['apns'], platforms: ['android'] },
  { topics: [TOPICS.fifth], users: [USERS.one] },
  { topics: [TOPICS.all], users: ['nobody'] },
  { users: [USERS.shared], providers: ['webpush'] },
  { users: [USERS.shared], providers: ['hms'] },
  { users: [USERS.shared], platforms: ['android'], providers: ['apns'] },
]

/** Measures page 1 and page 1000 of filters with many matches. */
export async function* measurePages(sql: Sql, store: DeviceStore): AsyncGenerator<Check> {
  for (const some of LARGE) {
    const filter = { ...NOTHING, ...some }
    const cursors = ['', await findCursor(sql, filter, PAGE * (LAST_PAGE - 1))]
    await warmUp(store, filter)
    const { first, last, ...surroundings } = await withSurroundings(async () => {
      const durationsMs: number[][] = [[], []]
      // Both pages run in turn, so that other load affects both.
      for (let repeat = 0; repeat < REPEATS; repeat++) {
        for (const [index, cursor] of cursors.entries())
          durationsMs[index]?.push(await time(() => list(store, filter, cursor)))
      }
      return { first: summarize(durationsMs[0] ?? []), last: summarize(durationsMs[1] ?? []) }
    })
    const ratio = last.p50Ms / first.p50Ms
    yield {
      name: `device_list ${describe(some)}: page ${LAST_PAGE} to page 1`,
      value: `${ratio.toFixed(2)} (p50 ${last.p50Ms.toFixed(2)} to ${first.p50Ms.toFixed(2)} ms)`,
      target: `≤ ${MAX_RATIO}, p99 ≤ ${MAX_PAGE_MS} ms`,
      isMet: ratio <= MAX_RATIO && Math.max(first.p99Ms, last.p99Ms) <= MAX_PAGE_MS,
      p50Ms: last.p50Ms,
      p99Ms: Math.max(first.p99Ms, last.p99Ms),
      ...surroundings,
      plans: await Promise.all(cursors.map((cursor) => explain(sql, filter, cursor))),
    }
  }
}

/** Measures the first page of filters with few matches or none. */
export async function* measureRarePages(sql: Sql, store: DeviceStore): AsyncGenerator<Check> {
  for (const some of RARE) {
    const filter = { ...NOTHING, ...some }
    await warmUp(store, filter)
    const times = await withSurroundings(async () => {
      const durationsMs: number[] = []
      for (let repeat = 0; repeat < REPEATS; repeat++) durationsMs.push(await time(() => list(store, filter, '')))
      return summarize(durationsMs)
    })
    const { items } = await list(store, filter, '')
    yield {
      name: `device_list ${describe(some)}: ${items.length} devices`,
      value: `${times.p99Ms.toFixed(1)} ms`,
      target: `p99 ≤ ${MAX_PAGE_MS} ms`,
      isMet: times.p99Ms <= MAX_PAGE_MS,
      ...times,
      plans: [await explain(sql, filter, '')],
    }
  }
}

/** Runs the calls at the same time, so that they use all connections. */
async function warmUp(store: DeviceStore, filter: DeviceFilter): Promise<void> {
  await Promise.all(Array.from({ length: WARM_UP }, () => list(store, filter, '')))
}

function list(store: DeviceStore, filter: DeviceFilter, cursor: string) {
  const include = { topics: false, meta: false, webPushKeys: false }
  return store.list({ filter, include, limit: PAGE, cursor, includeTotalCount: false })
}

/** The cursor of the page with this offset; empty when there are fewer devices. */
async function findCursor(sql: Sql, filter: DeviceFilter, offset: number): Promise<string> {
  const conditions = await resolveFilter(sql, filter)
  if (!conditions) return ''
  const [row] = await sql`
    select d.id from devices d where ${deviceMatches(sql, conditions)} order by d.id offset ${offset - 1} limit 1`
  // The provider does not matter, because only the ULID is the cursor.
  return row ? formatDeviceId(row.id, 'fcm') : ''
}

async function explain(sql: Sql, filter: DeviceFilter, cursor: string): Promise<string> {
  const conditions = await resolveFilter(sql, filter)
  if (!conditions) return 'no query: a value of the filter is unknown'
  const afterUuid = parseDeviceId(cursor)?.uuid ?? FIRST_UUID
  const columns = deviceColumns(sql, { meta: false, webPushKeys: false })
  const lines = await sql`
    explain (analyze, buffers) ${walkDevices(sql, columns, { conditions, afterUuid, limit: PAGE + 1 })}`
  // Long lists of values are cut.
  return lines.map((line) => String(line['QUERY PLAN']).slice(0, 240)).join('\n')
}

function describe(filter: Partial<DeviceFilter>): string {
  const names: Record<string, string> = {
    [USERS.shared]: '15 %',
    [USERS.one]: 'one',
    [TOPICS.all]: 'all',
    [TOPICS.fifth]: '20 %',
    'topic:000001': 'another 20 %',
    [TOPICS.rare]: 'rare',
    [TOPICS.otherRare]: 'another rare',
  }
  const parts = Object.entries(filter).map(([field, values]) => {
    const shown = values.length > 3 ? [`${values.length} of them`] : values.map((value) => names[value] ?? value)
    return `${field} ${shown.join('/')}`
  })
  return parts.join(' + ') || 'without a filter'
}
