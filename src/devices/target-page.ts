// The targets of a send, read for the fan-out as lines for the queue.
//
// PostgreSQL writes the lines, and the process only passes on their bytes. Converting rows to objects and objects to
// lines would take as long as reading them, and a string with the megabyte of a page would be a large object of its own
// in V8.
import * as v from 'valibot'
import { PROVIDER_NAMES, type ProviderName } from '../config/provider-names.ts'
import type { Fragment, Queryable, Sql } from '../database/pool.ts'
import { bytes, number, text } from '../database/raw-columns.ts'
import { decodeProvider, encodePlatform, encodeProvider, PLATFORM_NAMES } from './codes.ts'
import { type DeviceFilter, resolveFilter } from './device-filter.ts'
import { FIRST_UUID } from './device-id.ts'
import { walkDevices, walkIds } from './device-walk.ts'

const LINE_FEED = 0x0a

/** The columns that a send can need in addition to those of every line. */
export type TargetColumn = 'locale' | 'timezone' | 'meta'

/**
 * Targets of one provider as the queue stores them: one line per target, `device TAB token TAB user TAB platform` (for
 * Web Push `TAB keys` follows), in the order of ids, separated by LF. If the send needs more columns, each line
 * continues with `TAB keys TAB locale TAB timezone TAB meta`. `device` is the uuid of the id. formatDeviceId() makes
 * the id of the API from it where it is shown. Writing that id here would take the server 3 µs per target and the
 * process 1 µs.
 */
export interface TargetLines {
  provider: ProviderName
  /** The number of lines. */
  count: number
  /** The lines in UTF-8. */
  lines: Buffer
  /** The time zone of these devices, empty for none. Undefined unless the send needs time zones. */
  timezone?: string
}

/** The targets of one page. */
export interface TargetPage {
  /** One per provider with targets in the page, or per provider and zone if the send needs time zones. */
  groups: TargetLines[]
  /** The uuid of the last device of the page, after which the next page starts; undefined for the last page. */
  next: string | undefined
}

/**
 * A page of the matching devices in the order of their ids. Each device is in one page.
 * @param after `next` of the page before; undefined for the first page
 * @param used the columns that the send needs in addition to those of every line
 */
export async function pageTargets(
  sql: Sql,
  filter: DeviceFilter,
  after: string | undefined,
  limit: number,
  used: readonly TargetColumn[] = [],
): Promise<TargetPage> {
  const conditions = await resolveFilter(sql, filter)
  if (!conditions) return { groups: [], next: undefined }
  const columns = sql`d.id, d.provider, d.timezone, ${writeLine(sql, used)} as line`
  const page = walkDevices(sql, columns, { conditions, afterUuid: after ?? FIRST_UUID, limit })
  const groups = await (used.includes('timezone') ? readByZone(sql, page) : readByProvider(sql, page))
  const count = groups.reduce((sum, group) => sum + group.count, 0)
  return { groups, next: count < limit ? undefined : lastDevice(groups) }
}

/**
 * Where such a page ends, without reading it.
 * @returns its last device, as a line names it; undefined when fewer than `limit` are left
 */
export async function findPageEnd(
  sql: Sql,
  filter: DeviceFilter,
  after: string | undefined,
  limit: number,
): Promise<string | undefined> {
  const conditions = await resolveFilter(sql, filter)
  if (!conditions) return undefined
  const [row] = await sql`
    select page.id::text from (${walkIds(sql, { conditions, afterUuid: after ?? FIRST_UUID, limit })}) as page
    order by page.id offset ${limit - 1}`
  return row && v.parse(PageEnd, row).id
}

async function readByProvider(sql: Sql, page: Fragment): Promise<TargetLines[]> {
  // The aggregates keep the order of the subquery.
  const rows = await sql`select ${aggregateByProvider(sql)} from (${page}) as page`.raw()
  const [texts] = v.parse(Texts, rows)
  return PROVIDER_NAMES.flatMap((provider, index) => {
    const lines = texts[index] ?? null
    return lines === null ? [] : [{ provider, count: countLines(lines), lines }]
  })
}

async function readByZone(sql: Sql, page: Fragment): Promise<TargetLines[]> {
  const rows = await sql`
    select page.provider, page.timezone, count(*), string_agg(page.line, E'\n' order by page.id)
    from (${page}) as page
    group by page.provider, page.timezone`.raw()
  return v
    .parse(ZoneRows, rows)
    .map(([provider, timezone, count, lines]) => ({ provider: decodeProvider(provider), timezone, count, lines }))
}

/** The line of the row `d` of devices. No field can contain a tab or a line feed: see field-checks.ts. */
function writeLine(sql: Queryable, used: readonly TargetColumn[]) {
  return sql`
    d.id::text || E'\t' || d.token || E'\t' || d.user_id || ${used.length === 0 ? writeFew(sql) : writeMore(sql, used)}`
}

/** Each `||` copies the line so far, so there are as few as possible: none for keys without keys. */
function writeFew(sql: Queryable) {
  return sql`coalesce(${writePlatform(sql)} || (E'\t' || d.webpush_keys), ${writePlatform(sql)})`
}

function writePlatform(sql: Queryable) {
  const platforms = PLATFORM_NAMES.map((name) => sql`when ${encodePlatform(name)} then ${`\t${name}`}`)
  return sql`case d.platform ${platforms.reduce((names, name) => sql`${names} ${name}`)} end`
}

/** JSON in the form of jsonb has no tab and no line feed. */
function writeMore(sql: Queryable, used: readonly TargetColumn[]) {
  const locale = used.includes('locale') ? sql`d.locale` : sql`''`
  const timezone = used.includes('timezone') ? sql`d.timezone` : sql`''`
  const meta = used.includes('meta') ? sql`coalesce(d.meta::text, '')` : sql`''`
  return sql`${writePlatform(sql)} || E'\t' || coalesce(d.webpush_keys, '') || E'\t' || ${locale} || E'\t' || ${timezone} || E'\t' || ${meta}`
}

/** Lines in the order of PROVIDER_NAMES. */
function aggregateByProvider(sql: Queryable) {
  // Four aggregates in one pass. `group by` takes twice as long, and needs another sort to keep the order.
  const texts = PROVIDER_NAMES.map(
    (name) => sql`string_agg(page.line, E'\n') filter (where page.provider = ${encodeProvider(name)})`,
  )
  return texts.reduce((columns, text) => sql`${columns}, ${text}`)
}

const PageEnd = v.object({ id: v.string() })

const ZoneRows = v.array(v.tuple([number, text, number, bytes]))

/** One row with a column per provider, null without targets. */
const Texts = v.tuple([v.array(v.nullable(bytes))])

function countLines(lines: Buffer): number {
  let count = 1
  for (let at = lines.indexOf(LINE_FEED); at !== -1; at = lines.indexOf(LINE_FEED, at + 1)) count++
  return count
}

/** The largest uuid. As texts, uuids have the same order as in the table. */
function lastDevice(groups: readonly TargetLines[]): string | undefined {
  const lasts = groups.map(({ lines }) => {
    const start = lines.lastIndexOf('\n') + 1
    return lines.toString('ascii', start, start + FIRST_UUID.length)
  })
  return lasts.sort().at(-1)
}
