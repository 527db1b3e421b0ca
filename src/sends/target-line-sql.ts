// Writes target lines in SQL; target-line.ts describes their format. PostgreSQL writes the lines and the process passes
// their bytes on, because making an object and a line of each target would take as long as reading it.
import type { Fragment, Queryable } from '../database/pool.ts'
import type { OptionalField } from './target-line.ts'

/** SQL expressions of type text for the fields of a line; none may yield a tab or a line feed. */
export interface TargetColumns extends Record<OptionalField, Fragment> {
  deviceId: Fragment
  value: Fragment
  user: Fragment
  platform: Fragment
  /** Null for devices of other providers than Web Push. */
  keys: Fragment
}

/** The expression of a target line. @param used the optional fields that the send uses; the others stay empty */
export function writeTargetLine(sql: Queryable, columns: TargetColumns, used: readonly OptionalField[]): Fragment {
  const { deviceId, value, user } = columns
  const rest = used.length === 0 ? writeShortRest(sql, columns) : writeFullRest(sql, columns, used)
  return sql`${deviceId} || E'\t' || ${value} || E'\t' || ${user} || E'\t' || ${rest}`
}

/** Each `||` copies the line so far: lines without keys are written with as few of them as possible. */
function writeShortRest(sql: Queryable, { platform, keys }: TargetColumns): Fragment {
  return sql`coalesce(${platform} || (E'\t' || ${keys}), ${platform})`
}

function writeFullRest(sql: Queryable, columns: TargetColumns, used: readonly OptionalField[]): Fragment {
  const optional = (field: OptionalField) => (used.includes(field) ? columns[field] : sql`''`)
  return sql`${columns.platform} || E'\t' || coalesce(${columns.keys}, '') || E'\t' || ${optional('locale')}
    || E'\t' || ${optional('timezone')} || E'\t' || ${optional('meta')}`
}
