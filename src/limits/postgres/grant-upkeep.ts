import * as v from 'valibot'
import type { Sql } from '../../database/pool.ts'
import type { UpkeepTask } from '../../database/upkeep.ts'

/** The number of keys that one statement checks, so that it holds its locks for about 20 ms. */
const PAGE_SIZE = 5000

const Page = v.tuple([v.object({ last: v.nullable(v.string()) })])

/**
 * Makes the task that deletes keys without a grant that still counts. It reads the whole table in the order of its
 * keys: an index on the time would be written with each grant. It may run in several processes and while grants are
 * taken, because it skips locked keys.
 */
export function makeGrantUpkeep(sql: Sql, pageSize = PAGE_SIZE): UpkeepTask {
  return async (signal) => {
    let last: string | null = ''
    while (last !== null && !signal.aborted) last = await deleteForgotten(sql, last, pageSize)
  }
}

/**
 * Checks the page of keys after `after`, and deletes those without grants that count. Resolves to the last key of the
 * page; null if the page is empty.
 */
async function deleteForgotten(sql: Sql, after: string, pageSize: number): Promise<string | null> {
  const rows = await sql`
    with page as materialized (
      select key from rate_limits where key > ${after} order by key limit ${pageSize}
    ), forgotten as materialized (
      select key from rate_limits join page using (key)
      where grants[cardinality(grants) - 1] + keep_ms <= floor(date_part('epoch', clock_timestamp()) * 1000)
      for update of rate_limits skip locked
    ), deleted as (
      delete from rate_limits using forgotten where rate_limits.key = forgotten.key
    )
    select max(key) as last from page`
  const [{ last }] = v.parse(Page, [...rows])
  return last
}
