import type { Fragment, Queryable } from '../../database/pool.ts'
import type { NewBatch } from '../batch.ts'
import type { Page } from '../send.ts'
import { LANES } from './states.ts'

/**
 * The part of a statement that inserts batches for the send that the common table expression `source` returns. Each
 * batch has its own parameters, because PostgreSQL takes as long to parse an array of long texts as to store them. A
 * batch of lines has at most six parameters, so that a page of 10,000 batches of one target stays below PostgreSQL's
 * limit of 65,535 parameters.
 */
export function insertNewBatches(sql: Queryable, batches: readonly NewBatch[], source: 'live' | 'moved'): Fragment {
  const lines = batches.flatMap(({ targets, ...batch }) =>
    targets.kind === 'lines' ? [[...encodeColumns(batch), targets.lines.toString()]] : [],
  )
  const ranges = batches.flatMap(({ targets, ...batch }) =>
    targets.kind === 'range' ? [[...encodeColumns(batch), targets.range.after ?? '', targets.range.until]] : [],
  )
  const lineRows = sql`
    select v.*, null as range_after, null as range_until
    from (values ${sql(lines)}) as v (lane, provider, kind, count, delay, targets)`
  const rangeRows = sql`
    select v.lane, v.provider, v.kind, v.count, v.delay, null as targets, nullif(v.range_after, '') as range_after,
      v.range_until
    from (values ${sql(ranges)}) as v (lane, provider, kind, count, delay, range_after, range_until)`
  const [rows, ...more] = [...(lines.length > 0 ? [lineRows] : []), ...(ranges.length > 0 ? [rangeRows] : [])]
  if (!rows) return sql`select`
  return sql`
    insert into push_batches (
      uid, lane, provider, target_kind, target_count, claimable_at, targets, range_after, range_until
    )
    select send.uid, b.lane::smallint, b.provider, b.kind, b.count::integer,
      clock_timestamp() + b.delay::float8 * interval '1 ms', b.targets, b.range_after, b.range_until
    from ${sql(source)} as send, (${more.reduce((all, other) => sql`${all} union all ${other}`, rows)}) as b`
}

/**
 * The part of a statement that inserts the first batches of several small sends, those of them that the common table
 * expression `live` returns. Its text is the same for any number of batches, which are all of lines.
 */
export function insertBatchesOfSends(
  sql: Queryable,
  sends: readonly { send: { uid: string }; page: Pick<Page, 'batches'> | undefined }[],
): Fragment {
  const rows = sends.flatMap(({ send: { uid }, page }) =>
    (page?.batches ?? []).flatMap(({ targets, ...batch }) =>
      targets.kind === 'lines' ? [[uid, ...encodeColumns(batch), targets.lines.toString()]] : [],
    ),
  )
  const column = (index: number) => sql`${rows.map((row) => row[index] ?? '')}::text[]`
  return sql`
    insert into push_batches (uid, lane, provider, target_kind, target_count, claimable_at, targets)
    select uid, b.lane::smallint, b.provider, b.kind, b.count::integer,
      clock_timestamp() + b.delay::float8 * interval '1 ms', b.targets
    from live join unnest(
      ${column(0)}, ${column(1)}, ${column(2)}, ${column(3)}, ${column(4)}, ${column(5)}, ${column(6)}
    ) as b (uid, lane, provider, kind, count, delay, targets) using (uid)`
}

function encodeColumns({ lane, provider, targetKind, count, delayMs = 0 }: Omit<NewBatch, 'targets'>): string[] {
  return [String(LANES[lane]), provider, targetKind, String(count), String(Math.ceil(delayMs))]
}
