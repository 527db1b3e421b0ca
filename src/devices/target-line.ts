// The line of a device in a queue's batch, written by the server: see src/queue/targets.ts for what it is read as.
import type { Fragment, Queryable } from '../database/pool.ts'
import { encodePlatform, PLATFORM_NAMES } from './codes.ts'

/** What a send may use of its devices besides what every line has. */
export type TargetColumn = 'locale' | 'timezone' | 'meta'

/**
 * The line of the row `d` of devices: `device TAB token TAB user TAB platform` (for Web Push `TAB keys` follows). Where more
 * is asked for, all lines go on with `TAB keys TAB locale TAB timezone TAB meta`. No field can hold a tab or a line feed:
 * see field-checks.ts. `device` is the id's uuid, because it costs nothing to read: the id as the API has it, which
 * formatDeviceId() makes of it where it is shown, would take the server 3 µs a target and the process 1.
 */
export function writeLine(sql: Queryable, used: readonly TargetColumn[]): Fragment {
  return sql`
    d.id::text || E'\t' || d.token || E'\t' || d.user_id || ${used.length === 0 ? writeFew(sql) : writeMore(sql, used)}`
}

/** Each `||` copies the line so far, so there are as few as can be: none with keys where there are no keys. */
function writeFew(sql: Queryable): Fragment {
  return sql`coalesce(${writePlatform(sql)} || (E'\t' || d.webpush_keys), ${writePlatform(sql)})`
}

function writePlatform(sql: Queryable): Fragment {
  const platforms = PLATFORM_NAMES.map((name) => sql`when ${encodePlatform(name)} then ${`\t${name}`}`)
  return sql`case d.platform ${platforms.reduce((names, name) => sql`${names} ${name}`)} end`
}

/** As JSON meta has no tab and no line feed either. */
function writeMore(sql: Queryable, used: readonly TargetColumn[]): Fragment {
  const locale = used.includes('locale') ? sql`d.locale` : sql`''`
  const timezone = used.includes('timezone') ? sql`d.timezone` : sql`''`
  const meta = used.includes('meta') ? sql`coalesce(d.meta::text, '')` : sql`''`
  return sql`${writePlatform(sql)} || E'\t' || coalesce(d.webpush_keys, '') || E'\t' || ${locale} || E'\t' || ${timezone} || E'\t' || ${meta}`
}
