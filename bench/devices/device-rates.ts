// Bytes on disk, targets read per second, registrations per second.
import { randomBytes } from 'node:crypto'
import type { Sql } from '../../src/database/pool.ts'
import type { DeviceStore } from '../../src/devices/device-store.ts'
import type { DeviceFilter } from '../../src/sends/recipient.ts'
import { summarize, time, withSurroundings } from '../harness/measure.ts'
import type { Check } from '../harness/report.ts'
import { type Load, TOPICS } from './device-data.ts'

const MAX_DEVICE_BYTES = 600
const MAX_SUBSCRIPTION_BYTES = 140
const MIN_TARGETS_PER_SECOND = 300_000
const MIN_REGISTRATIONS_PER_SECOND = 2000

/** What fan-out reads at a time: see src/push/page-reader.ts. */
const PAGE_TARGETS = 5000
const WALKS = 5
const REGISTER_SECONDS = 10
const CALLERS = 32
const COMMITS = 300
/** Every other registration is of a token that is known by then. */
const NEW_TOKEN_SHARE = 0.5

export async function measureSizes(sql: Sql, { devices, subscriptions }: Load): Promise<Check[]> {
  const measure = async (table: string, rows: number, unit: string, max: number): Promise<Check> => {
    const parts = await sql`
      select ${table} as name, pg_table_size(${table}::regclass)::float8 as bytes
      union all
      select indexrelid::regclass::text, pg_relation_size(indexrelid)::float8 from pg_index
      where indrelid = ${table}::regclass`
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0) / rows
    const details = parts.map((part) => `${part.name} ${(part.bytes / rows).toFixed(0)}`).join(', ')
    const value = `${bytes.toFixed(0)} bytes (${details})`
    return { name: `on disk, ${unit}`, value, target: `≤ ${max} bytes`, isMet: bytes <= max }
  }
  return [
    await measure('devices', devices, 'a device', MAX_DEVICE_BYTES),
    await measure('device_topics', subscriptions, 'a subscription', MAX_SUBSCRIPTION_BYTES),
  ]
}

/** The topic of all devices, from the first to the last; the best rate counts for nothing, the median does. */
export async function measureWalk(store: DeviceStore, devices: number): Promise<Check> {
  const filter: DeviceFilter = { ids: [], users: [], topics: [TOPICS.all], providers: [], platforms: [] }
  const pagesMs: number[] = []
  const { rates, ...surroundings } = await withSurroundings(async () => {
    const walks: number[] = []
    for (let walk = 0; walk < WALKS; walk++) {
      const walkMs = await time(async () => {
        let after: string | undefined
        do {
          pagesMs.push(
            await time(async () => {
              after = (await store.pageTargets(filter, { after, limit: PAGE_TARGETS })).next
            }),
          )
        } while (after !== undefined)
      })
      walks.push((1000 * devices) / walkMs)
    }
    return { rates: walks.sort((a, b) => a - b) }
  })
  const rate = rates[Math.floor(WALKS / 2)] ?? 0
  return {
    name: `a walk of a topic of ${devices} devices, pages of ${PAGE_TARGETS}`,
    value: `${rate.toFixed(0)} targets/s (${rates.map((each) => each.toFixed(0)).join(', ')})`,
    target: `≥ ${MIN_TARGETS_PER_SECOND} targets/s`,
    isMet: rate >= MIN_TARGETS_PER_SECOND,
    ...summarize(pagesMs),
    ...surroundings,
  }
}

/** A transaction that writes one row: nothing that is stored for good can be quicker. */
export async function measureCommit(sql: Sql): Promise<Check> {
  await sql`create table bench_commits (n integer)`
  const commitsMs: number[] = []
  const surroundings = await withSurroundings(async () => {
    for (let n = 0; n < COMMITS; n++) commitsMs.push(await time(() => sql`insert into bench_commits values (${n})`))
    return {}
  })
  const times = summarize(commitsMs)
  const value = `${(1000 / times.p50Ms).toFixed(0)}/s`
  return {
    name: 'for comparison: one-row commits, one after another',
    value,
    target: '',
    isMet: undefined,
    ...times,
    ...surroundings,
  }
}

export async function measureRegister(store: DeviceStore): Promise<Check> {
  const known: string[] = []
  const callsMs: number[] = []
  const { rate, ...surroundings } = await withSurroundings(async () => {
    const start = performance.now()
    const end = start + 1000 * REGISTER_SECONDS
    const call = async () => {
      while (performance.now() < end) {
        const token = chooseToken(known)
        callsMs.push(await time(() => register(store, token)))
      }
    }
    await Promise.all(Array.from({ length: CALLERS }, call))
    return { rate: (1000 * callsMs.length) / (performance.now() - start) }
  })
  return {
    name: `device_register, ${CALLERS} callers, 3 topics each, half new tokens`,
    value: `${rate.toFixed(0)}/s`,
    target: `≥ ${MIN_REGISTRATIONS_PER_SECOND}/s`,
    isMet: rate >= MIN_REGISTRATIONS_PER_SECOND,
    ...summarize(callsMs),
    ...surroundings,
  }
}

function chooseToken(known: string[]): string {
  const old = known[Math.floor(Math.random() * known.length)]
  if (old !== undefined && Math.random() >= NEW_TOKEN_SHARE) return old
  const token = `${randomBytes(16).toString('base64url')}:${randomBytes(105).toString('base64url')}`
  known.push(token)
  return token
}

function register(store: DeviceStore, token: string): Promise<string> {
  const number = (below: number) => String(Math.floor(Math.random() * below)).padStart(6, '0')
  return store.register({
    uuid: undefined,
    provider: 'fcm',
    platform: 'android',
    token,
    webPushKeys: undefined,
    user: `user:000000000${number(900_000)}`,
    topics: [TOPICS.all, `topic:00000${1 + Math.floor(Math.random() * 5)}`, `topic:${number(10_000)}`],
    timezone: '',
    locale: '',
    meta: new Map(),
  })
}
