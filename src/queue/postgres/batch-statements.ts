// The SQL for claims of batches. Each change is one statement, and changes a batch only if the claim is still valid:
// its fence must be the one in the row.
//
// Locks: a worker looks at its claims, stores their progress and acknowledges some of them at the same time. So each of
// these statements locks the rows of its batches in the order of their ids, before it changes them.
import * as v from 'valibot'
import { PROVIDER_NAMES, type ProviderName } from '../../config/provider-names.ts'
import { commitAsynchronously } from '../../database/asynchronous-commit.ts'
import type { Fragment, Sql } from '../../database/pool.ts'
import { type RawRow, readRows } from '../../database/raw-columns.ts'
import { decodeLines } from '../../sends/line-bytes.ts'
import type { BatchClaim, ClaimKey, ClaimState, DeviceRange, Progress } from '../batch.ts'
import type { Lane } from '../lane.ts'
import { decodeContent } from '../stored-send.ts'
import { CANCELLED, LANES } from './states.ts'
import { readRange } from './stored-targets.ts'

const TARGET_KINDS = ['token', 'topic', 'condition'] as const
const SEND_STATES = ['live', 'cancelled', 'expired'] as const

/** The parameters of claimWaitingBatches(). */
export interface ClaimQuery {
  lane: Lane
  providers: readonly ProviderName[]
  /** The most batches to claim. */
  limit: number
  /** As of `Queue.claimBatches`. */
  leastWaitMs: number
  leaseMs: number
  /**
   * For this many ms after a start of PostgreSQL no abandoned batch is claimed, so that surviving workers can extend
   * their claims.
   */
  restartGraceMs: number
}

/**
 * Claims the oldest waiting batches. Batches that another worker is claiming are skipped. Of a paused provider one
 * batch is claimed, when it is time to probe whether the provider works again.
 */
export async function claimWaitingBatches(sql: Sql, query: ClaimQuery): Promise<BatchClaim[]> {
  const { lane, providers, limit, leastWaitMs, leaseMs, restartGraceMs } = query
  const isClaimable = sql`
    b.lane = ${LANES[lane]} and b.claimable_at <= (select clock_timestamp() - ${leastWaitMs} * interval '1 ms')
    and (not b.claimed or (
      select pg_postmaster_start_time() < clock_timestamp() - ${restartGraceMs} * interval '1 ms'))`
  // The inner query is materialized, because the planner may otherwise run it twice and claim more batches than the
  // limit.
  const rows = await sql`
    with probe as (
      update push_pauses as p set probe_at = clock_timestamp() + p.probe_every_ms * interval '1 ms'
      where p.provider = any(${[...providers]}) and p.probe_at <= clock_timestamp() and exists (
        select from push_batches b where b.provider = p.provider and ${isClaimable}
      )
      returning p.provider
    ), source as (
      select given.provider, ${limit}::int as most, false as is_probe
      from unnest(${[...providers]}::text[]) as given (provider)
      where not exists (select from push_pauses p where p.provider = given.provider)
      union all
      select provider, 1, true from probe
    ), picked as materialized (
      select b.id, source.is_probe
      from source cross join lateral (
        select b.id, b.claimable_at from push_batches b
        where b.provider = source.provider and ${isClaimable}
        order by b.claimable_at limit source.most for update skip locked
      ) as b
      order by b.claimable_at limit ${limit}
    ), claimed as (
      update push_batches as b set
        claimable_at = clock_timestamp() + ${leaseMs} * interval '1 ms', claimed = true,
        fence = b.fence + 1, attempt = b.attempt + 1,
        first_attempt_at = coalesce(b.first_attempt_at, clock_timestamp())
      from picked ${lane === 'small' ? skipDiskWait(sql) : sql``}
      where b.id = picked.id
      returning b.*, picked.is_probe
    )
    select c.id, c.uid, coalesce(s.analytics_uid, c.uid) as analytics_uid, c.provider,
      c.target_kind, c.target_count, c.targets, c.range_after, c.range_until,
      c.fence, c.attempt, c.retrying, c.ambiguous_attempts, c.settled, c.settled_note,
      (extract(epoch from clock_timestamp() - c.first_attempt_at) * 1000)::float8 as age_ms,
      (extract(epoch from s.expire_at - clock_timestamp()) * 1000)::float8 as expires_in_ms,
      case
        when s.uid is null or s.state = ${CANCELLED} then 'cancelled'
        when s.expire_at <= clock_timestamp() then 'expired'
        else 'live'
      end as send_state,
      coalesce(s.drops > 0, false) as has_exclusions,
      c.is_probe,
      case when c.lane = ${LANES.small} then s.content end as content
    from claimed c left join push_sends s using (uid)
    order by c.id`.raw()
  return readRows(rows, (row) => readBatch(row, lane))
}

/**
 * Lets the commit of a small send's claim return before it is on disk, where it would queue behind the writes of a
 * broadcast. If PostgreSQL crashes and loses the claim, the batch is claimed again and may be sent twice.
 */
function skipDiskWait(sql: Sql): Fragment {
  return sql`cross join ${commitAsynchronously(sql)}`
}

function readBatch(row: RawRow, lane: Lane): BatchClaim {
  const lines = row.readBytes('targets')
  const content = row.readBytea('content')
  return {
    id: row.readText('id'),
    uid: row.readText('uid'),
    analyticsUid: row.readText('analytics_uid'),
    lane,
    provider: row.readWord('provider', PROVIDER_NAMES),
    targetKind: row.readWord('target_kind', TARGET_KINDS),
    count: row.readNumber('target_count'),
    targets: lines ? { kind: 'lines', lines: decodeLines(lines) } : { kind: 'range', range: readBatchRange(row) },
    fence: row.readNumber('fence'),
    attempt: row.readNumber('attempt'),
    isRetry: row.readBoolean('retrying'),
    ambiguousAttempts: row.readNumber('ambiguous_attempts'),
    ageMs: row.readNumber('age_ms'),
    expiresInMs: row.readNullableNumber('expires_in_ms'),
    sendState: row.readWord('send_state', SEND_STATES),
    hasExclusions: row.readBoolean('has_exclusions'),
    finished: row.readBytea('settled'),
    finishedNote: row.readNullableText('settled_note') ?? '',
    isProbe: row.readBoolean('is_probe'),
    ...(content && { content: decodeContent(content) }),
  }
}

function readBatchRange(row: RawRow): DeviceRange {
  const [range_after, range_until] = [row.readNullableText('range_after'), row.readNullableText('range_until')]
  return readRange({ range_after: range_after ?? null, range_until: range_until ?? null })
}

/** A common table expression `held`: the ids of the valid claims, whose rows it locks. */
export function lockClaims(sql: Sql, claims: readonly Pick<BatchClaim, 'id' | 'fence'>[]): Fragment {
  return sql`held as materialized (
    select b.id
    from push_batches b join unnest(
      ${claims.map(({ id }) => id)}::bigint[], ${claims.map(({ fence }) => fence)}::bigint[]
    ) as c (id, fence) on b.id = c.id and b.fence = c.fence
    order by b.id for update of b
  )`
}

const State = v.object({ state: v.picklist(['lost', 'cancelled', 'excluded', 'valid']) })

/**
 * Extends the leases of valid claims that were not extended for `extendAfterMs`. @returns the state of each claim, in
 * their order
 */
export async function confirmClaims(
  sql: Sql,
  claims: readonly ClaimKey[],
  { leaseMs, extendAfterMs }: { leaseMs: number; extendAfterMs: number },
): Promise<ClaimState[]> {
  // Leases that are due are chosen before their rows are locked: meanwhile an earlier look, whose answer is late, may
  // have extended them, and they are not lost.
  const rows = await sql`
    with claim as materialized (
      select * from unnest(
        ${claims.map(({ id }) => id)}::bigint[], ${claims.map(({ fence }) => fence)}::bigint[],
        ${claims.map(({ uid }) => uid)}::text[]
      ) with ordinality as c (id, fence, uid, place)
    ), due as materialized (
      select c.id, c.fence from push_batches b join claim c on b.id = c.id and b.fence = c.fence
      where b.claimable_at < clock_timestamp() + ${leaseMs - extendAfterMs} * interval '1 ms'
    ), held as materialized (
      select b.id from push_batches b join due d on b.id = d.id and b.fence = d.fence order by b.id for update of b
    ), extended as (
      update push_batches as b set claimable_at = clock_timestamp() + ${leaseMs} * interval '1 ms'
      from held where b.id = held.id
      returning b.id
    )
    select
      case
        when b.id is null or (d.id is not null and e.id is null) then 'lost'
        when s.state = ${CANCELLED} then 'cancelled'
        when s.drops > 0 then 'excluded'
        else 'valid'
      end as state
    from claim c
      left join push_batches b on b.id = c.id and b.fence = c.fence
      left join due d on d.id = c.id
      left join extended e on e.id = c.id
      left join push_sends s on s.uid = c.uid
    order by c.place`
  return rows.map((row) => v.parse(State, row).state)
}

/** Stores which targets of claimed batches are finished. Lost claims are ignored. The targets are not written again. */
export async function updateProgress(sql: Sql, progress: readonly Progress[]): Promise<void> {
  const bits = progress.map(({ finished }) => Buffer.from(finished).toString('hex'))
  await sql`
    with ${lockClaims(
      sql,
      progress.map(({ claim }) => claim),
    )}
    update push_batches as b set settled = decode(p.finished, 'hex'), settled_note = nullif(p.note, '')
    from held join unnest(
      ${progress.map(({ claim }) => claim.id)}::bigint[], ${bits}::text[], ${progress.map(({ note }) => note)}::text[]
    ) as p (id, finished, note) using (id)
    where b.id = held.id`
}

/** Releases claimed batches as if they had not been claimed: no attempt is counted. Lost claims are ignored. */
export async function releaseBatches(sql: Sql, claims: readonly ClaimKey[]): Promise<void> {
  await sql`
    with ${lockClaims(sql, claims)}
    update push_batches as b set
      claimable_at = clock_timestamp(), claimed = false, attempt = b.attempt - 1, fence = b.fence + 1,
      first_attempt_at = case when b.attempt > 1 then b.first_attempt_at end
    from held where b.id = held.id`
}
