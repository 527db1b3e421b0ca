import type { Fragment, Queryable } from '../../database/pool.ts'
import type { NewBatch } from '../queue.ts'
import { LANES } from './states.ts'

/**
 * The part of a statement that inserts batches for the send which the common table expression `source` yields. Each
 * batch is parameters of its own: as an array of long texts it would take as long to read as to store.
 */
export function insertNewBatches(
  sql: Queryable,
  batches: readonly NewBatch[],
  source: 'live' | 'moved' | 'replaced',
): Fragment {
  if (batches.length === 0) return sql`select`
  const rows = batches.map(({ lane, provider, targetKind, count, lines, delayMs = 0 }) => [
    String(LANES[lane]),
    provider,
    targetKind,
    String(count),
    lines.toString(),
    String(Math.ceil(delayMs)),
  ])
  return sql`
    insert into push_batches (uid, lane, provider, target_kind, target_count, targets, claimable_at)
    select send.uid, b.lane::smallint, b.provider, b.kind, b.count::integer, b.targets,
      clock_timestamp() + b.delay::float8 * interval '1 ms'
    from ${sql(source)} as send, (values ${sql(rows)}) as b (lane, provider, kind, count, targets, delay)`
}
