import * as v from 'valibot'
import type { Sql } from '../database/pool.ts'
import { type DeviceFilter, resolveFilter } from './device-filter.ts'
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
  const rows = await sql`
    select numbered.id::text as id, numbered.place
    from (
      select page.id, row_number() over rows_in_order::integer as place,
        lead(page.id) over rows_in_order is null as is_last
      from (${walkIds(sql, walk)}) as page
      window rows_in_order as (order by page.id)
    ) as numbered
    where numbered.place % ${size} = 0 or numbered.is_last
    order by numbered.place`
  const ends = v.parse(Ends, rows)
  return { ends: ends.map(({ id }) => id), hasMore: ends.at(-1)?.place === limit }
}
