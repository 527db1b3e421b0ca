import type { Fragment, Queryable } from '../../database/pool.ts'
import type { ReportCount } from '../report.ts'
import { sumCounts } from '../stored-report.ts'

/** Encodes changes of a report as the text of a jsonb object; null if there are none. */
export function encodeCounts(counts: readonly ReportCount[]): string | null {
  return counts.length === 0 ? null : JSON.stringify(Object.fromEntries(sumCounts(counts)))
}

/**
 * The counts of the report of a send `s` with changes added, as an SQL expression. Counts of 0 are left out.
 * @param changes an SQL expression of the type jsonb: an object of numbers, or null if there are none
 */
export function addCounts(sql: Queryable, changes: Fragment): Fragment {
  return sql`
    case when ${changes} is null then s.counts else (
      select coalesce(jsonb_object_agg(name, count), '{}')
      from (
        select name, sum(count::bigint) as count
        from (select * from jsonb_each_text(s.counts) union all select * from jsonb_each_text(${changes})) as each
          (name, count)
        group by name having sum(count::bigint) <> 0
      ) as summed
    ) end`
}
