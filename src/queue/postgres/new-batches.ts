import type { Fragment, Queryable } from '../../database/pool.ts'
import type { NewBatch } from '../batch.ts'
import { LANES } from './states.ts'
import { encodeTargets } from './stored-targets.ts'

/**
 * The part of a statement that inserts batches for the send that the common table expression `source` yields. Each batch
 * is parameters of its own: PostgreSQL takes as long to parse an array of long texts as to store them.
 */
export function insertNewBatches(sql: Queryable, batches: readonly NewBatch[], source: 'live' | 'moved'): Fragment {
  const [first, ...others] = batches.map((batch) => writeRow(sql, batch))
  if (!first) return sql`select`
  return sql`
    insert into push_batches (uid, lane, provider, target_kind, target_count, claimable_at, targets, range_after, range_until)
    select send.uid, b.lane, b.provider, b.kind, b.count, clock_timestamp() + b.delay_ms * interval '1 ms', b.targets,
      b.range_after, b.range_until
    from ${sql(source)} as send, (values ${others.reduce((rows, row) => sql`${rows}, ${row}`, first)})
      as b (lane, provider, kind, count, delay_ms, targets, range_after, range_until)`
}

function writeRow(sql: Queryable, { lane, provider, targetKind, count, targets, delayMs = 0 }: NewBatch): Fragment {
  const [lines = null, after = null, until = null] = encodeTargets(targets)
  return sql`(${LANES[lane]}::smallint, ${provider}, ${targetKind}, ${count}::integer, ${Math.ceil(delayMs)}::float8,
    ${lines}::text, ${after}::text, ${until}::text)`
}
