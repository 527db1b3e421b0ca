// Makes PostgreSQL write target lines (target-line.ts describes their format), so that the process only passes their
// bytes on. To make an object and a line for each target in the process would take as long as to read them.
import type { Fragment, Queryable } from '../database/pool.ts'
import type { OptionalField } from './target-line.ts'

/** SQL expressions of type text for the fields of a target line. None may contain a tab or a line feed. */
export interface TargetColumns extends Record<OptionalField, Fragment> {
  deviceId: Fragment
  value: Fragment
  user: Fragment
  platform: Fragment
  /** The encryption keys of a Web Push subscription; null for devices of other providers. */
  keys: Fragment
}

/** The SQL expression for a target line. @param used the optional fields that the send uses; the others stay empty */
export function writeTargetLine(sql: Queryable, columns: TargetColumns, used: readonly OptionalField[]): Fragment {
  const { deviceId, value, user } = columns
  const rest = used.length === 0 ? writeShortRest(sql, columns) : writeFullRest(sql, columns, used)
  return sql`${deviceId} || E'\t' || ${value} || E'\t' || ${user} || E'\t' || ${rest}`
}

/**
 * The end of a line without optional fields. Each `||` copies the line so far, so lines without keys are written with
 * as few as possible.
 */
function writeShortRest(sql: Queryable, { platform, keys }: TargetColumns): Fragment {
  return sql`coalesce(${platform} || (E'\t' || ${keys}), ${platform})`
}

function writeFullRest(sql: Queryable, columns: TargetColumns, used: readonly OptionalField[]): Fragment {
  const optional = (field: OptionalField) => (used.includes(field) ? columns[field] : sql`''`)
  return sql`${columns.platform} || E'\t' || coalesce(${columns.keys}, '') || E'\t' || ${optional('locale')}
    || E'\t' || ${optional('timezone')} || E'\t' || ${optional('meta')}`
}
