import * as v from 'valibot'
import type { Sql } from '../database/pool.ts'
import type { DeviceFilter } from '../sends/recipient.ts'
import { resolveFilter } from './device-filter.ts'
import { FIRST_UUID } from './device-id.ts'
import { walkIds } from './device-walk.ts'

/** Which ranges of a filter's devices. */
export interface RangeQuery {
  /** The last device of the range before; undefined for the first range. */
  after: string | undefined
  /** Devices in all ranges together, at most. */
  limit: number
  /** Devices in each range but the last. */
  size: number
}

/** The ranges found. */
export interface DeviceRanges {
  /** The last device of each range; the next range begins after it. */
  ends: string[]
  /** Whether there may be devices behind the last range. */
  hasMore: boolean
}

const Ends = v.array(v.object({ id: v.string(), place: v.number() }))

/** Cuts the matching devices, in the order of their ids, into ranges of `size`. Reads only ids. */
export async function findRanges(sql: Sql, filter: DeviceFilter, query: RangeQuery): Promise<DeviceRanges> {
  const { after, limit, size } = query
  const conditions = await resolveFilter(sql, filter)
  if (!conditions) return { ends: [], hasMore: false }
  const walk = { conditions, afterUuid: after ?? FIRST_UUID, limit }
  // An array of the ids takes a fifth of the time of a window function over them. It keeps the order of the subquery.
  const rows = await sql`
    select found.ids[place]::text as id, place
    from (select array_agg(page.id) as ids from (${walkIds(sql, walk)}) as page) as found
    cross join lateral (
      select least(n, cardinality(found.ids)) as place
      from generate_series(${size}::integer, cardinality(found.ids) + ${size}::integer - 1, ${size}::integer) as n
    ) as ends
    order by place`
  const ends = v.parse(Ends, rows)
  return { ends: ends.map(({ id }) => id), hasMore: ends.at(-1)?.place === limit }
}
