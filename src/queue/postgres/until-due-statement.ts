import * as v from 'valibot'
import type { ProviderName } from '../../config/provider-names.ts'
import type { Sql } from '../../database/pool.ts'
import type { Lane } from '../lane.ts'
import { LANES } from './states.ts'

const Due = v.object({ until_ms: v.nullable(v.number()) })

/**
 * The ms until the first send or batch of a lane becomes claimable: it is due, or the lease of its claim ends. Infinity
 * without any. Batches of paused providers count from the next probe.
 */
export async function selectUntilDue(sql: Sql, lane: Lane, providers: readonly ProviderName[]): Promise<number> {
  const [row] = await sql`
    select (extract(epoch from min(due.claimable_at) - clock_timestamp()) * 1000)::float8 as until_ms from (
      (
        select claimable_at from push_sends where lane = ${LANES[lane]} and claimable_at is not null
        order by claimable_at limit 1
      )
      union all
      select greatest(first.claimable_at, p.probe_at)
      from unnest(${[...providers]}::text[]) as given (provider)
      left join push_pauses p on p.provider = given.provider
      cross join lateral (
        select b.claimable_at from push_batches b where b.provider = given.provider and b.lane = ${LANES[lane]}
        order by b.claimable_at limit 1
      ) as first
      where p.provider is null or p.probe_at is not null
    ) as due`
  return v.parse(Due, row).until_ms ?? Number.POSITIVE_INFINITY
}
