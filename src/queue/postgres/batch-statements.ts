// The SQL that claims, keeps and settles batches. Whatever changes rows is one statement; the fence decides who may write.
import * as v from 'valibot'
import { PROVIDER_NAMES, type ProviderName } from '../../config/provider-names.ts'
import type { Sql } from '../../database/pool.ts'
import type { BatchClaim, Lane, QueueStats, Retry } from '../queue.ts'
import { decodeTargets, encodeTargets } from '../targets.ts'
import { CANCELLED, DONE, FANNED, LANES, WAITING } from './send-statements.ts'

const StoredBatch = v.object({
  id: v.string(),
  uid: v.string(),
  provider: v.picklist(PROVIDER_NAMES),
  target_kind: v.picklist(['token', 'topic', 'condition']),
  targets: v.string(),
  fence: v.string(),
  attempt: v.number(),
  ambiguous_attempts: v.number(),
  age_ms: v.number(),
  expires_in_ms: v.nullable(v.number()),
  send_state: v.picklist(['live', 'cancelled', 'expired']),
})

/** Claims what has waited longest; batches that another worker is just claiming are passed over, not waited for. */
export async function claimWaitingBatches(
  sql: Sql,
  lane: Lane,
  providers: readonly ProviderName[],
  limit: number,
  leaseMs: number,
): Promise<BatchClaim[]> {
  // Materialized, because the planner may otherwise run the inner query again and claim more than the limit.
  const rows = await sql`
    with picked as materialized (
      select id from push_batches
      where lane = ${LANES[lane]} and claimable_at <= (select clock_timestamp()) and provider = any(${[...providers]})
      order by claimable_at limit ${limit} for update skip locked
    ), claimed as (
      update push_batches as b set
        claimable_at = clock_timestamp() + ${leaseMs} * interval '1 ms', claimed = true,
        fence = b.fence + 1, attempt = b.attempt + 1,
        first_attempt_at = coalesce(b.first_attempt_at, clock_timestamp())
      from picked where b.id = picked.id
      returning b.*
    )
    select c.id, c.uid, c.provider, c.target_kind, c.targets, c.fence, c.attempt, c.ambiguous_attempts,
      (extract(epoch from clock_timestamp() - c.first_attempt_at) * 1000)::float8 as age_ms,
      (extract(epoch from s.expire_at - clock_timestamp()) * 1000)::float8 as expires_in_ms,
      case
        when s.uid is null or s.state = ${CANCELLED} then 'cancelled'
        when s.expire_at <= clock_timestamp() then 'expired'
        else 'live'
      end as send_state
    from claimed c left join push_sends s using (uid)
    order by c.id`
  return rows.map((row) => {
    const batch = v.parse(StoredBatch, row)
    return {
      id: batch.id,
      uid: batch.uid,
      lane,
      provider: batch.provider,
      targetKind: batch.target_kind,
      targets: decodeTargets(batch.targets),
      fence: Number(batch.fence),
      attempt: batch.attempt,
      ambiguousAttempts: batch.ambiguous_attempts,
      ageMs: batch.age_ms,
      expiresInMs: batch.expires_in_ms ?? undefined,
      sendState: batch.send_state,
    }
  })
}

/** Extends what is still ours. @returns the ids that are not */
export async function extendLeases(sql: Sql, claims: readonly BatchClaim[], leaseMs: number): Promise<Set<string>> {
  const kept = await sql<{ id: string }[]>`
    update push_batches as b set claimable_at = clock_timestamp() + ${leaseMs} * interval '1 ms'
    from unnest(${claims.map(({ id }) => id)}::bigint[], ${claims.map(({ fence }) => fence)}::bigint[]) as c (id, fence)
    where b.id = c.id and b.fence = c.fence
    returning b.id`
  const lost = new Set(claims.map(({ id }) => id))
  for (const { id } of kept) lost.delete(id)
  return lost
}

/** Deletes a batch, writes what is to be retried as new ones, and ends the send with its last batch. */
export async function settleBatch(sql: Sql, claim: BatchClaim, retries: readonly Retry[]) {
  const settled = await sql`
    with settled as (
      delete from push_batches where id = ${claim.id} and fence = ${claim.fence} returning *
    ), retried as (
      insert into push_batches (uid, lane, provider, target_kind, targets, claimable_at, attempt, ambiguous_attempts,
        first_attempt_at)
      select s.uid, s.lane, s.provider, s.target_kind, r.targets,
        clock_timestamp() + r.delay_ms * interval '1 ms', s.attempt, r.ambiguous_attempts, s.first_attempt_at
      from settled s, unnest(${retries.map(({ targets }) => encodeTargets(targets))}::text[],
        ${retries.map(({ delayMs }) => Math.ceil(delayMs))}::bigint[],
        ${retries.map(({ ambiguousAttempts }) => ambiguousAttempts)}::smallint[]
      ) as r (targets, delay_ms, ambiguous_attempts)
    ), counted as (
      update push_sends as p set
        open_batches = p.open_batches - 1 + ${retries.length},
        state = case when p.state = ${FANNED} and p.open_batches - 1 + ${retries.length} = 0 then ${DONE} else p.state end,
        content = case when p.state = ${FANNED} and p.open_batches - 1 + ${retries.length} = 0 then null else p.content end,
        ended_at = case
          when p.state = ${FANNED} and p.open_batches - 1 + ${retries.length} = 0 then clock_timestamp()
          else p.ended_at
        end
      from settled s where p.uid = s.uid
    )
    select id from settled`
  return settled.length > 0 ? 'acknowledged' : 'lost'
}

/** Makes batches claimable at once, as if they had not been claimed. */
export async function releaseBatches(sql: Sql, claims: readonly BatchClaim[]): Promise<void> {
  await sql`
    update push_batches as b set
      claimable_at = clock_timestamp(), claimed = false, attempt = b.attempt - 1, fence = b.fence + 1,
      first_attempt_at = case when b.attempt > 1 then b.first_attempt_at end
    from unnest(${claims.map(({ id }) => id)}::bigint[], ${claims.map(({ fence }) => fence)}::bigint[]) as c (id, fence)
    where b.id = c.id and b.fence = c.fence`
}

const Jobs = v.object({ waiting: v.number() })

/** How many batches and sends there are, counted up to `limit`. */
export async function countJobs(sql: Sql, limit: number): Promise<number> {
  const [row] = await sql`
    select ((select count(*) from (select from push_batches limit ${limit}) as b) +
      (select count(*) from (select from push_sends where claimable_at is not null limit ${limit}) as s))::float8
      as waiting`
  return v.parse(Jobs, row).waiting
}

const ProviderCounts = v.object({
  provider: v.picklist(PROVIDER_NAMES),
  waiting: v.number(),
  in_flight: v.number(),
  oldest_ms: v.number(),
})
const Scheduled = v.object({ scheduled: v.number() })

export async function selectStats(sql: Sql): Promise<QueueStats> {
  const rows = await sql`
    select provider,
      (count(*) filter (where claimable_at <= clock_timestamp()))::float8 as waiting,
      (count(*) filter (where claimed and claimable_at > clock_timestamp()))::float8 as in_flight,
      coalesce(max(extract(epoch from clock_timestamp() - claimable_at)) filter (
        where claimable_at <= clock_timestamp()), 0)::float8 * 1000 as oldest_ms
    from push_batches group by provider`
  const [sends] = await sql`
    select count(*)::float8 as scheduled from push_sends where state = ${WAITING} and claimable_at > clock_timestamp()`
  const counts = rows.map((row) => v.parse(ProviderCounts, row))
  return {
    waiting: new Map(counts.map((count) => [count.provider, count.waiting])),
    inFlight: new Map(counts.map((count) => [count.provider, count.in_flight])),
    scheduled: v.parse(Scheduled, sends).scheduled,
    oldestMs: Math.max(0, ...counts.map((count) => count.oldest_ms)),
  }
}
