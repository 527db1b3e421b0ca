import * as v from 'valibot'
import type { Sql } from '../../database/pool.ts'

const Row = v.object({ times: v.array(v.number()), now: v.number() })

/**
 * Reads the times of a key's grants and the time of PostgreSQL's clock, in Unix ms; undefined if the key has no grants.
 */
export async function selectGrants(sql: Sql, key: string): Promise<{ times: number[]; nowMs: number } | undefined> {
  const [row] = await sql`
    select
      array(
        select grants[2 * n - 1] from generate_series(1, cardinality(grants) / 2) as n order by n
      )::float8[] as times,
      floor(date_part('epoch', clock_timestamp()) * 1000)::float8 as now
    from rate_limits where key = ${key}`
  if (!row) return undefined
  const { times, now } = v.parse(Row, row)
  return { times, nowMs: now }
}
