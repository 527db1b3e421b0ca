// The SQL statement that ends claimed batches and stores their retries and dead letters.
import type { Sql } from '../../database/pool.ts'
import type { BatchClaim, Remainder } from '../batch.ts'
import { sumCounts } from '../stored-report.ts'
import { countOpenBatches } from './open-batches.ts'
import { addCounts } from './report-counts.ts'
import { encodeTargets } from './stored-targets.ts'

/** The end of one claimed batch: its claim, and the targets to retry or to give up. */
export interface Acknowledgement extends Remainder {
  claim: Pick<BatchClaim, 'id' | 'fence'>
}

/**
 * Deletes the batches of valid claims, stores retries as new batches and targets given up as dead letters, changes the
 * reports of the sends, and ends each send with its last batch. One statement ends several batches, because all batches of a broadcast update the row
 * of their send, and each commit holds the lock of that row until it is on disk. @returns the ids of valid claims
 */
export async function acknowledgeBatches(sql: Sql, ends: readonly Acknowledgement[]): Promise<Set<string>> {
  const retries = ends.flatMap(({ claim, retries }) =>
    retries.map(({ targets, ...retry }) => ({ id: claim.id, columns: encodeTargets(targets), ...retry })),
  )
  const dead = ends.flatMap(({ claim, givenUp }) =>
    givenUp.map(({ targets, ...letter }) => ({ id: claim.id, columns: encodeTargets(targets), ...letter })),
  )
  const changes = ends.flatMap(({ claim, counts = [] }) =>
    [...sumCounts(counts)].map(([name, count]) => ({ id: claim.id, name, count })),
  )
  const column = (rows: readonly { columns: readonly (string | null)[] }[], index: number) =>
    rows.map(({ columns }) => columns[index] ?? null)
  const hasDeadLetters = sql`(s.has_dead_letters or c.has_dead_letters)`
  const rows = await sql<{ id: string }[]>`
    with ended as (
      delete from push_batches as b
      using unnest(${ends.map(({ claim }) => claim.id)}::bigint[], ${ends.map(({ claim }) => claim.fence)}::bigint[])
        as given (id, fence)
      where b.id = given.id and b.fence = given.fence
      returning b.*
    ), locked as materialized (
      select uid from push_sends where uid in (select uid from ended) order by uid for update
    ), retried as (
      insert into push_batches (uid, lane, provider, target_kind, target_count, targets, range_after, range_until,
        claimable_at, attempt, ambiguous_attempts, first_attempt_at, retrying)
      select e.uid, e.lane, e.provider, e.target_kind, r.count, r.targets, r.range_after, r.range_until,
        clock_timestamp() + r.delay_ms * interval '1 ms', case when r.starts_over = 1 then 0 else e.attempt end,
        r.ambiguous_attempts, case when r.starts_over = 0 then e.first_attempt_at end, r.starts_over = 0
      from ended e join unnest(
        ${retries.map(({ id }) => id)}::bigint[], ${retries.map(({ count }) => count)}::integer[],
        ${column(retries, 0)}::text[], ${column(retries, 1)}::text[], ${column(retries, 2)}::text[],
        ${retries.map(({ delayMs }) => Math.ceil(delayMs))}::bigint[],
        ${retries.map(({ ambiguousAttempts }) => ambiguousAttempts)}::smallint[],
        ${retries.map(({ startsOver = false }) => Number(startsOver))}::smallint[]
      ) as r (id, count, targets, range_after, range_until, delay_ms, ambiguous_attempts, starts_over) using (id)
      returning uid
    ), buried as (
      insert into push_dead_letters (uid, provider, lane, target_kind, target_count, targets, range_after, range_until,
        reason, attempts, given_up_at)
      select e.uid, e.provider, e.lane, e.target_kind, d.count, d.targets, d.range_after, d.range_until, d.reason,
        e.attempt, clock_timestamp()
      from ended e join locked using (uid) join unnest(
        ${dead.map(({ id }) => id)}::bigint[], ${dead.map(({ count }) => count)}::integer[],
        ${column(dead, 0)}::text[], ${column(dead, 1)}::text[], ${column(dead, 2)}::text[],
        ${dead.map(({ reason }) => reason)}::text[]
      ) as d (id, count, targets, range_after, range_until, reason) using (id)
      returning uid
    ), change as (
      select uid, sum(opened)::int as opened, bool_or(is_dead) as has_dead_letters
      from (
        select uid, -1 as opened, false as is_dead from ended
        union all select uid, 1, false from retried
        union all select uid, 0, true from buried
      ) as each
      group by uid
    ), reported as (
      select uid, jsonb_object_agg(name, count) as counts
      from (
        select e.uid, n.name, sum(n.count) as count
        from ended e join unnest(
          ${changes.map(({ id }) => id)}::bigint[], ${changes.map(({ name }) => name)}::text[],
          ${changes.map(({ count }) => count)}::bigint[]
        ) as n (id, name, count) using (id)
        group by e.uid, n.name
      ) as each
      group by uid
    ), counted as (
      update push_sends as s set
        has_dead_letters = ${hasDeadLetters}, ${countOpenBatches(sql, { opened: sql`c.opened`, hasDeadLetters })},
        counts = ${addCounts(sql, sql`r.counts`)},
        first_at = case when r.uid is null then s.first_at else coalesce(s.first_at, statement_timestamp()) end,
        last_at = case when r.uid is null then s.last_at else greatest(s.last_at, statement_timestamp()) end
      from change c join locked using (uid) left join reported r using (uid)
      where s.uid = c.uid
    )
    select id from ended`
  return new Set(rows.map(({ id }) => id))
}
