import type { Fragment, Queryable } from '../../database/pool.ts'
import type { NewBatch } from '../queue.ts'
import { LANES } from './states.ts'

/** The part of a statement that inserts batches for the send which the common table expression `source` yields. */
export function insertNewBatches(sql: Queryable, batches: readonly NewBatch[], source: 'live' | 'moved'): Fragment {
  return sql`
    insert into push_batches (uid, lane, provider, target_kind, target_count, targets, claimable_at)
    select send.uid, b.lane, b.provider, b.kind, b.count, b.targets, clock_timestamp()
    from ${sql(source)} as send, unnest(
      ${batches.map(({ lane }) => LANES[lane])}::smallint[], ${batches.map(({ provider }) => provider)}::text[],
      ${batches.map(({ targetKind }) => targetKind)}::text[], ${batches.map(({ count }) => count)}::integer[],
      ${batches.map(({ lines }) => lines)}::text[]
    ) as b (lane, provider, kind, count, targets)`
}
