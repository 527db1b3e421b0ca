// The SQL that claims batches and keeps them. Whatever changes rows is one statement; the fence decides who may write.
import * as v from 'valibot'
import { PROVIDER_NAMES, type ProviderName } from '../../config/provider-names.ts'
import { commitAsynchronously } from '../../database/asynchronous-commit.ts'
import type { Fragment, Sql } from '../../database/pool.ts'
import { boolean, bytea, bytes, number, text } from '../../database/raw-columns.ts'
import type { BatchClaim, Lane, Progress } from '../queue.ts'
import { decodeContent } from '../send-content.ts'
import { decodeLines } from '../targets.ts'
import { CANCELLED, LANES } from './states.ts'

/** In the order of the columns that claimWaitingBatches() selects. */
const StoredBatches = v.array(
  v.tuple([
    text,
    text,
    v.pipe(text, v.picklist(PROVIDER_NAMES)),
    v.pipe(text, v.picklist(['token', 'topic', 'condition'])),
    number,
    bytes,
    number,
    number,
    number,
    v.nullable(bytea),
    number,
    v.nullable(number),
    v.pipe(text, v.picklist(['live', 'cancelled', 'expired'])),
    boolean,
    boolean,
    v.nullable(bytea),
  ]),
)

/**
 * Claims what has waited longest; batches that another worker is just claiming are passed over, not waited for. Of a
 * paused provider one batch is claimed when its time for a probe has come, and there is one.
 */
export async function claimWaitingBatches(
  sql: Sql,
  lane: Lane,
  providers: readonly ProviderName[],
  limit: number,
  leaseMs: number,
): Promise<BatchClaim[]> {
  // Materialized, because the planner may otherwise run the inner query again and claim more than the limit.
  const rows = await sql`
    with probe as (
      update push_pauses as p set probe_at = clock_timestamp() + p.probe_every_ms * interval '1 ms'
      where p.provider = any(${[...providers]}) and p.probe_at <= clock_timestamp() and exists (
        select from push_batches b
        where b.provider = p.provider and b.lane = ${LANES[lane]} and b.claimable_at <= (select clock_timestamp())
          and b.targets is not null
      )
      returning p.provider
    ), source as (
      select given.provider, ${limit}::int as most, false as is_probe from unnest(${[...providers]}::text[]) as given (provider)
      where not exists (select from push_pauses p where p.provider = given.provider)
      union all
      select provider, 1, true from probe
    ), picked as materialized (
      select b.id, source.is_probe
      from source cross join lateral (
        select id, claimable_at from push_batches
        where provider = source.provider and lane = ${LANES[lane]} and claimable_at <= (select clock_timestamp())
          and targets is not null
        order by claimable_at limit source.most for update skip locked
      ) as b
      order by b.claimable_at limit ${limit}
    ), claimed as (
      update push_batches as b set
        claimable_at = clock_timestamp() + ${leaseMs} * interval '1 ms', claimed = true,
        fence = b.fence + 1, attempt = b.attempt + 1,
        first_attempt_at = coalesce(b.first_attempt_at, clock_timestamp())
      from picked ${lane === 'small' ? forgoDisk(sql) : sql``}
      where b.id = picked.id
      returning b.*, picked.is_probe
    )
    select c.id, c.uid, c.provider, c.target_kind, c.target_count, c.targets, c.fence, c.attempt, c.ambiguous_attempts,
      c.settled,
      (extract(epoch from clock_timestamp() - c.first_attempt_at) * 1000)::float8 as age_ms,
      (extract(epoch from s.expire_at - clock_timestamp()) * 1000)::float8 as expires_in_ms,
      case
        when s.uid is null or s.state = ${CANCELLED} then 'cancelled'
        when s.expire_at <= clock_timestamp() then 'expired'
        else 'live'
      end as send_state,
      coalesce(s.drops > 0, false) as has_drops,
      c.is_probe,
      case when c.lane = ${LANES.small} then s.content end as content
    from claimed c left join push_sends s using (uid)
    order by c.id`.raw()
  return v.parse(StoredBatches, rows).map((row) => readBatch(row, lane))
}

/**
 * A push for one phone does not wait until its claim is on disk, behind all that a broadcast writes meanwhile. A claim that a
 * crash of the server forgets is made again, and what it was for may be sent twice.
 */
function forgoDisk(sql: Sql): Fragment {
  return sql`cross join ${commitAsynchronously(sql)}`
}

function readBatch(row: v.InferOutput<typeof StoredBatches>[number], lane: Lane): BatchClaim {
  const [id, uid, provider, targetKind, count, targets, fence, attempt, ambiguousAttempts, settled, ...more] = row
  const [ageMs, expiresInMs, sendState, hasDrops, isProbe, content] = more
  return {
    id,
    uid,
    lane,
    provider,
    targetKind,
    count,
    lines: decodeLines(targets),
    fence,
    attempt,
    ambiguousAttempts,
    ageMs,
    expiresInMs: expiresInMs ?? undefined,
    sendState,
    hasDrops,
    settled: settled ?? undefined,
    isProbe,
    ...(content && { content: decodeContent(content) }),
  }
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

/** Notes settled targets in the rows that are still ours; the targets themselves are not written again. */
export async function updateSettled(sql: Sql, progress: readonly Progress[]): Promise<void> {
  await sql`
    update push_batches as b set settled = decode(p.settled, 'hex')
    from unnest(${progress.map(({ claim }) => claim.id)}::bigint[], ${progress.map(({ claim }) => claim.fence)}::bigint[],
      ${progress.map(({ settled }) => Buffer.from(settled).toString('hex'))}::text[]) as p (id, fence, settled)
    where b.id = p.id and b.fence = p.fence`
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
