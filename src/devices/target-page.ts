// Reads the targets of a send, page by page, as the target lines that the queue stores (sends/target-line.ts).
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

/** The page to read of the devices that match a filter. */
export interface TargetPageQuery {
  /** The uuid of the last device of the previous page; undefined for the first page. */
  after: string | undefined
  /** The most devices in the page. */
  limit: number
  /** The optional fields of a target line that the send uses. */
  used?: readonly OptionalField[]
}

/** Targets of one provider in a page, in the order of device ids. */
export interface TargetGroup {
  provider: ProviderName
  /** The number of target lines in `lines`. */
  count: number
  /** The target lines in UTF-8, separated by line feeds. */
  lines: Buffer
  /** The time zone of these devices, empty if they have none. Absent unless the send uses time zones. */
  timezone?: string
}

/** A page of targets. */
export interface TargetPage {
  /**
   * One group for each provider in the page; if the send uses time zones, one for each pair of provider and time zone.
   */
  groups: TargetGroup[]
  /** The uuid of the page's last device, after which the next page begins; undefined for the last page. */
  next: string | undefined
}

/** Reads a page of the devices that match `filter`, in the order of their ids. Each device is in one page only. */
export async function pageTargets(sql: Sql, filter: DeviceFilter, query: TargetPageQuery): Promise<TargetPage> {
  const { after, limit, used = [] } = query
  const conditions = await resolveFilter(sql, filter)
  if (!conditions) return { groups: [], next: undefined }
  const page = walkDevices(sql, selectLine(sql, used), { conditions, afterUuid: after ?? FIRST_UUID, limit })
  const groups = await (used.includes('timezone') ? readByZone(sql, page) : readByProvider(sql, page))
  const count = groups.reduce((sum, group) => sum + group.count, 0)
  return { groups, next: count < limit ? undefined : findLast(groups) }
}

/** The columns of a row `d` of devices from which a page is read. */
export function selectLine(sql: Queryable, used: readonly OptionalField[]): Fragment {
  return sql`d.id, d.provider, d.timezone, ${writeTargetLine(sql, makeColumns(sql), used)} as line`
}

/**
 * The columns of a row `d` of devices that target lines contain. No field contains a tab or a line feed
 * (field-checks.ts), which separate fields and lines.
 */
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
  // The aggregates concatenate the lines in the order of the inner query, which is the order of ids.
  const rows = await sql`select ${aggregateByProvider(sql)} from (${page}) as page`.raw()
  const [texts] = v.parse(Texts, rows)
  return groupLines(texts)
}

/** Makes the groups of a page from the lines of each provider, in the order of PROVIDER_NAMES; null: it has none. */
export function groupLines(texts: readonly (Buffer | null)[]): TargetGroup[] {
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

/**
 * SQL that concatenates the target lines of each provider, in the order of PROVIDER_NAMES, from the rows `page` of
 * selectLine().
 */
export function aggregateByProvider(sql: Queryable) {
  // Four aggregates in one pass over the rows: `group by` takes twice as long, and needs another sort to keep the
  // order.
  const texts = PROVIDER_NAMES.map(
    (name) => sql`string_agg(page.line, E'\n') filter (where page.provider = ${encodeProvider(name)})`,
  )
  return texts.reduce((columns, text) => sql`${columns}, ${text}`)
}

const ZoneRows = v.array(v.tuple([number, text, number, bytes]))

/** The reply: one row with a column of lines for each provider, null if the provider has no targets. */
const Texts = v.tuple([v.array(v.nullable(bytes))])

/** The largest uuid of all groups. Uuids sort as text in the same order as in the table. */
function findLast(groups: readonly TargetGroup[]): string | undefined {
  return groups
    .map(({ lines }) => lastDevice(lines))
    .sort()
    .at(-1)
}
