// The targets of a send, page by page, as the lines that the queue stores (sends/target-line.ts).
import * as v from 'valibot'
import { PROVIDER_NAMES, type ProviderName } from '../config/provider-names.ts'
import type { Fragment, Queryable, Sql } from '../database/pool.ts'
import { bytes, number, text } from '../database/raw-columns.ts'
import { countLines, lastDevice } from '../sends/line-bytes.ts'
import type { DeviceFilter } from '../sends/recipient.ts'
import type { OptionalField } from '../sends/target-line.ts'
import { writeTargetLine } from '../sends/target-line-sql.ts'
import { decodeProvider, encodePlatform, encodeProvider, PLATFORM_NAMES } from './codes.ts'
import { resolveFilter } from './device-filter.ts'
import { FIRST_UUID } from './device-id.ts'
import { walkDevices } from './device-walk.ts'

/** Which page of a filter's devices. */
export interface TargetPageQuery {
  /** The last device of the page before; undefined for the first page. */
  after: string | undefined
  /** Devices in the page, at most. */
  limit: number
  /** The device fields that the send uses besides those of every line. */
  used?: readonly OptionalField[]
}

/** Targets of one provider, in the order of device ids. */
export interface TargetGroup {
  provider: ProviderName
  /** The number of lines. */
  count: number
  /** UTF-8, separated by line feeds. */
  lines: Buffer
  /** The time zone of these devices, empty for those without; only if time zones are asked for. */
  timezone?: string
}

/** A page of targets. */
export interface TargetPage {
  /** One group for each provider in the page; if time zones are asked for, one for each provider and zone. */
  groups: TargetGroup[]
  /** The last device of the page, after which the next one begins; undefined for the last page. */
  next: string | undefined
}

/** A page of the devices that match, in the order of their ids, each once. */
export async function pageTargets(sql: Sql, filter: DeviceFilter, query: TargetPageQuery): Promise<TargetPage> {
  const { after, limit, used = [] } = query
  const conditions = await resolveFilter(sql, filter)
  if (!conditions) return { groups: [], next: undefined }
  const columns = sql`d.id, d.provider, d.timezone, ${writeTargetLine(sql, makeColumns(sql), used)} as line`
  const page = walkDevices(sql, columns, { conditions, afterUuid: after ?? FIRST_UUID, limit })
  const groups = await (used.includes('timezone') ? readByZone(sql, page) : readByProvider(sql, page))
  const count = groups.reduce((sum, group) => sum + group.count, 0)
  return { groups, next: count < limit ? undefined : findLast(groups) }
}

/** The columns of the row `d` of devices. No field and no meta contains a tab or a line feed (field-checks.ts). */
function makeColumns(sql: Queryable) {
  const platforms = PLATFORM_NAMES.map((name) => sql`when ${encodePlatform(name)} then ${name}`)
  return {
    deviceId: sql`d.id::text`,
    value: sql`d.token`,
    user: sql`d.user_id`,
    platform: sql`case d.platform ${platforms.reduce((names, name) => sql`${names} ${name}`)} end`,
    keys: sql`d.webpush_keys`,
    locale: sql`d.locale`,
    timezone: sql`d.timezone`,
    meta: sql`coalesce(d.meta::text, '')`,
  }
}

async function readByProvider(sql: Sql, page: Fragment): Promise<TargetGroup[]> {
  // The aggregates take the lines in the order of the inner query.
  const rows = await sql`select ${aggregateByProvider(sql)} from (${page}) as page`.raw()
  const [texts] = v.parse(Texts, rows)
  return PROVIDER_NAMES.flatMap((provider, index) => {
    const lines = texts[index] ?? null
    return lines === null ? [] : [{ provider, count: countLines(lines), lines }]
  })
}

async function readByZone(sql: Sql, page: Fragment): Promise<TargetGroup[]> {
  const rows = await sql`
    select page.provider, page.timezone, count(*), string_agg(page.line, E'\n' order by page.id)
    from (${page}) as page
    group by page.provider, page.timezone`.raw()
  return v
    .parse(ZoneRows, rows)
    .map(([provider, timezone, count, lines]) => ({ provider: decodeProvider(provider), timezone, count, lines }))
}

/** Lines in the order of PROVIDER_NAMES. */
function aggregateByProvider(sql: Queryable) {
  // Four aggregates over one pass: `group by` takes twice as long, and keeps the order only after another sort.
  const texts = PROVIDER_NAMES.map(
    (name) => sql`string_agg(page.line, E'\n') filter (where page.provider = ${encodeProvider(name)})`,
  )
  return texts.reduce((columns, text) => sql`${columns}, ${text}`)
}

const ZoneRows = v.array(v.tuple([number, text, number, bytes]))

/** One row with a column per provider, null without targets. */
const Texts = v.tuple([v.array(v.nullable(bytes))])

/** Uuids sort as text in the same order as in the table. */
function findLast(groups: readonly TargetGroup[]): string | undefined {
  return groups
    .map(({ lines }) => lastDevice(lines))
    .sort()
    .at(-1)
}
