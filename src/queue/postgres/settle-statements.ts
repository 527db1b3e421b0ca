// The SQL that ends batches.
import type { Sql } from '../../database/pool.ts'
import type { BatchClaim, GivenUp, Retry } from '../queue.ts'
import { countOpenBatches } from './open-batches.ts'

/** How a claimed batch ends. */
export interface Settlement {
  claim: Pick<BatchClaim, 'id' | 'fence'>
  retries: readonly Retry[]
  givenUp: readonly GivenUp[]
}

/**
 * Deletes the batches that are still ours, writes what is to be retried as new ones and what was given up as dead
 * letters, and ends the sends whose last batch is gone. Several at a time, because all batches of a broadcast count down
 * one row, which each commit holds until it is on disk. @returns the ids that were ours
 */
export async function settleBatches(sql: Sql, settlements: readonly Settlement[]): Promise<Set<string>> {
  const retries = settlements.flatMap(({ claim, retries }) => retries.map((retry) => ({ id: claim.id, ...retry })))
  const dead = settlements.flatMap(({ claim, givenUp }) => givenUp.map((letter) => ({ id: claim.id, ...letter })))
  const rows = await sql<{ id: string }[]>`
    with settled as (
      delete from push_batches as b
      using unnest(${settlements.map(({ claim }) => claim.id)}::bigint[],
        ${settlements.map(({ claim }) => claim.fence)}::bigint[]) as given (id, fence)
      where b.id = given.id and b.fence = given.fence
      returning b.*
    ), locked as materialized (
      select uid from push_sends where uid in (select uid from settled) order by uid for update
    ), retried as (
      insert into push_batches (uid, lane, provider, target_kind, target_count, targets, claimable_at, attempt,
        ambiguous_attempts, first_attempt_at)
      select s.uid, s.lane, s.provider, s.target_kind, r.count, r.targets,
        clock_timestamp() + r.delay_ms * interval '1 ms', case when r.starts_over = 1 then 0 else s.attempt end,
        r.ambiguous_attempts, case when r.starts_over = 0 then s.first_attempt_at end
      from settled s join unnest(
        ${retries.map(({ id }) => id)}::bigint[], ${retries.map(({ count }) => count)}::integer[],
        ${retries.map(({ lines }) => lines)}::text[], ${retries.map(({ delayMs }) => Math.ceil(delayMs))}::bigint[],
        ${retries.map(({ ambiguousAttempts }) => ambiguousAttempts)}::smallint[],
        ${retries.map(({ startsOver = false }) => Number(startsOver))}::smallint[]
      ) as r (id, count, targets, delay_ms, ambiguous_attempts, starts_over) using (id)
      returning uid
    ), buried as (
      insert into push_dead_letters (uid, provider, lane, target_kind, target_count, targets, reason, attempts, given_up_at)
      select s.uid, s.provider, s.lane, s.target_kind, d.count, d.targets, d.reason, s.attempt, clock_timestamp()
      from settled s join locked using (uid) join unnest(
        ${dead.map(({ id }) => id)}::bigint[], ${dead.map(({ count }) => count)}::integer[],
        ${dead.map(({ lines }) => lines)}::text[], ${dead.map(({ reason }) => reason)}::text[]
      ) as d (id, count, targets, reason) using (id)
      returning uid
    ), change as (
      select uid, sum(opened)::int as opened, bool_or(is_dead) as has_dead_letters
      from (
        select uid, -1 as opened, false as is_dead from settled
        union all select uid, 1, false from retried
        union all select uid, 0, true from buried
      ) as each
      group by uid
    ), counted as (
      update push_sends as s set
        has_dead_letters = s.has_dead_letters or c.has_dead_letters,
        ${countOpenBatches(sql, sql`c.opened`, sql`(s.has_dead_letters or c.has_dead_letters)`)}
      from change c join locked using (uid)
      where s.uid = c.uid
    )
    select id from settled`
  return new Set(rows.map(({ id }) => id))
}
