// The SQL that lists, retries and deletes dead letters.
import * as v from 'valibot'
import { PROVIDER_NAMES } from '../../config/provider-names.ts'
import { type CallDeadline, isInTime } from '../../database/call-deadline.ts'
import type { Fragment, Sql } from '../../database/pool.ts'
import type { DeadLetter, DeadLetterCount, DeadLetterFilter } from '../dead-letter.ts'
import { MAX_REASON } from '../stored-report.ts'
import { addCounts } from './report-counts.ts'
import { CANCELLED, DONE, FANNED } from './states.ts'
import { readTargets, StoredTargets } from './stored-targets.ts'

const StoredLetter = v.object({
  id: v.string(),
  uid: v.string(),
  provider: v.picklist(PROVIDER_NAMES),
  target_count: v.number(),
  ...StoredTargets.entries,
  reason: v.string(),
  attempts: v.number(),
  given_up_at: v.date(),
})
const Targets = v.object({ targets: v.number() })

function matches(sql: Sql, { ids, uid, provider }: DeadLetterFilter): Fragment {
  const byId = ids === undefined ? sql`true` : sql`d.id = any(${[...ids]}::bigint[])`
  const byUid = uid === undefined ? sql`true` : sql`d.uid = ${uid}`
  const byProvider = provider === undefined ? sql`true` : sql`d.provider = ${provider}`
  return sql`${byId} and ${byUid} and ${byProvider}`
}

/**
 * Reads up to `limit` dead letters, the oldest first.
 * @param after the id of the last dead letter of the previous page
 */
export async function selectDeadLetters(sql: Sql, filter: DeadLetterFilter, limit: number, after: string | undefined) {
  const rows = await sql`
    select d.id, d.uid, d.provider, d.target_count, d.targets, d.range_after, d.range_until, d.reason, d.attempts,
      d.given_up_at
    from push_dead_letters d where d.id > ${after ?? '0'}::bigint and ${matches(sql, filter)}
    order by d.id limit ${limit}`
  return rows.map((row): DeadLetter => {
    const {
      id,
      uid,
      provider,
      reason,
      attempts,
      target_count: count,
      given_up_at,
      ...stored
    } = v.parse(StoredLetter, row)
    const givenUpAtMs = given_up_at.getTime()
    return { id, uid, provider, targets: readTargets(stored), count, reason, attempts, givenUpAtMs }
  })
}

const Count = v.object({ letters: v.number(), targets: v.number() })

/** Counts dead letters and their targets. */
export async function countDeadLetters(sql: Sql, filter: DeadLetterFilter): Promise<DeadLetterCount> {
  const [row] = await sql`
    select count(*)::float8 as letters, coalesce(sum(d.target_count), 0)::float8 as targets
    from push_dead_letters d where ${matches(sql, filter)}`
  return v.parse(Count, row)
}

/**
 * Turns dead letters into batches without earlier attempts, except those of cancelled sends.
 * @returns the number of their targets
 */
export async function reviveDeadLetters(sql: Sql, filter: DeadLetterFilter, deadline: CallDeadline): Promise<number> {
  const deadlineMs = await deadline.toDatabaseTime()
  const [row] = await sql`
    with locked as materialized (
      select uid from push_sends
      where content is not null and state <> ${CANCELLED}
        and uid in (select d.uid from push_dead_letters d where ${matches(sql, filter)})
      order by uid for update
    ), revived as (
      delete from push_dead_letters as d using locked where d.uid = locked.uid and ${matches(sql, filter)} returning d.*
    ), written as (
      insert into push_batches (uid, lane, provider, target_kind, target_count, targets, range_after, range_until,
        claimable_at)
      select uid, lane, provider, target_kind, target_count, targets, range_after, range_until, clock_timestamp()
      from revived
    ), reported as (
      select uid, jsonb_object_agg(name, count) as counts
      from (
        select uid, name, sum(-target_count) as count
        from revived cross join lateral (
          select provider || ' failed' || coalesce(' ' || nullif(left(reason, ${MAX_REASON}), ''), '') as name
          -- The worker that reads the range counts its targets.
          union all select provider || ' target' where targets is null
        ) as names
        group by uid, name
      ) as each
      group by uid
    ), counted as (
      update push_sends as s set
        open_batches = s.open_batches + r.batches, forget_at = null, ended_at = null,
        state = case when s.state = ${DONE} then ${FANNED} else s.state end,
        counts = ${addCounts(sql, sql`reported.counts`)}
      from (select uid, count(*)::int as batches from revived group by uid) as r join reported using (uid)
      where s.uid = r.uid
    )
    select coalesce(sum(target_count), 0)::float8 as targets from revived where ${isInTime(sql, deadlineMs)}`
  return v.parse(Targets, row).targets
}

/** Deletes dead letters. @returns the number of their targets */
export async function deleteDeadLetters(sql: Sql, filter: DeadLetterFilter, deadline: CallDeadline): Promise<number> {
  const deadlineMs = await deadline.toDatabaseTime()
  const [row] = await sql`
    with deleted as (delete from push_dead_letters as d where ${matches(sql, filter)} returning target_count)
    select coalesce(sum(target_count), 0)::float8 as targets from deleted where ${isInTime(sql, deadlineMs)}`
  return v.parse(Targets, row).targets
}
