// The SQL of taken pages. Each statement is whole or not at all; the fence decides who may write.
import * as v from 'valibot'
import { PROVIDER_NAMES, type ProviderName } from '../../config/provider-names.ts'
import { commitAsynchronously } from '../../database/asynchronous-commit.ts'
import type { Fragment, Sql } from '../../database/pool.ts'
import type { BatchClaim, LostPart, NewBatch, PageClaim, SendClaim } from '../queue.ts'
import { decodeContent, decodeRecipient } from '../send-content.ts'
import { decodeLines, lastDevice } from '../targets.ts'
import { insertNewBatches } from './new-batches.ts'
import { countOpenBatches } from './open-batches.ts'
import { CANCELLED, FANNED, LANES, WAITING } from './states.ts'
import { readClaim } from './walk-statements.ts'

/** Until a page comes again of which a provider has enough waiting. */
const FULL_PAUSE_MS = 1000

/**
 * Claims the send that has been due for longest. It looks the send up by its key: a join that was planned while the queue was
 * empty reads all sends. A claim that a crash of the server forgets harms nobody: cursors decide.
 */
export async function claimDueWalk(sql: Sql, leaseMs: number): Promise<SendClaim | undefined> {
  const [row] = await sql`
    with due as materialized (
      select w.uid from push_walks w
      where w.claimable_at <= (select clock_timestamp())
        and (select s.state from push_sends s where s.uid = w.uid) = ${WAITING}
        and not exists (select from push_pages p where p.uid = w.uid and p.is_resting)
      order by w.claimable_at limit 1 for update of w skip locked
    )
    update push_walks as w set fence = w.fence + 1, claimable_at = clock_timestamp() + ${leaseMs} * interval '1 ms'
    from due cross join ${commitAsynchronously(sql)}
    where w.uid = due.uid
    returning w.uid, (select s.recipient from push_sends s where s.uid = w.uid),
      (select s.content from push_sends s where s.uid = w.uid), w.fence, w.cursor`
  const isCancelled = row?.recipient === null
  return row && !isCancelled ? readClaim(row, 'broadcast') : undefined
}

export async function releaseTakenWalk(sql: Sql, { uid, fence }: SendClaim): Promise<void> {
  await sql`update push_walks set claimable_at = clock_timestamp() where uid = ${uid} and fence = ${fence}`
}

const Inserted = v.object({ id: v.string() })

/**
 * Moves the cursor behind a page that is claimed from its first moment on, and gives the walk back. It need not be on disk
 * before its batches are.
 */
export async function insertTakenPage(
  sql: Sql,
  { uid, fence, cursor: after }: SendClaim,
  until: string | undefined,
  leaseMs: number,
): Promise<PageClaim | undefined> {
  const isOurs = sql`uid = ${uid} and fence = ${fence} and cursor is not distinct from ${after ?? null}`
  const moved =
    until === undefined
      ? sql`ended as (
          delete from push_walks where ${isOurs} returning uid, pages + 1 as pages
        ), moved as (
          update push_sends as s set
            open_batches = s.open_batches + ended.pages,
            state = case when s.state = ${WAITING} then ${FANNED}::smallint else s.state end
          from ended where s.uid = ended.uid
          returning s.uid
        )`
      : sql`moved as (
          update push_walks set cursor = ${until}, pages = pages + 1, claimable_at = clock_timestamp() where ${isOurs}
          returning uid
        )`
  const [row] = await sql`
    with ${moved}
    insert into push_pages (uid, range_after, range_until, claimable_at, fence)
    select moved.uid, ${after ?? null}, ${until ?? null}, clock_timestamp() + ${leaseMs} * interval '1 ms', 1
    from moved cross join ${commitAsynchronously(sql)}
    returning id`
  return row && { id: v.parse(Inserted, row).id, uid, fence: 1, range: { after, until } }
}

/** A batch and its place in the page. */
interface Ranged {
  batch: NewBatch
  after: string | null
  until: string
}

const Taken = v.object({
  id: v.nullable(v.string()),
  provider: v.nullable(v.picklist(PROVIDER_NAMES)),
  range_until: v.nullable(v.string()),
  expires_in_ms: v.nullable(v.number()),
  has_drops: v.nullable(v.boolean()),
  is_cancelled: v.boolean(),
})

/**
 * Puts batches in the place of a page, some of them claimed from their first moment on, and ends the send when these are none
 * and were its last. Resolves to the claims; to undefined when the page is not ours any more, or a taken batch's provider is
 * paused.
 */
export async function replacePage(
  sql: Sql,
  page: PageClaim,
  { taken, written }: { taken: readonly NewBatch[]; written: readonly NewBatch[] },
  leaseMs: number,
): Promise<BatchClaim[] | undefined> {
  const { uid, range } = page
  const ranged = addRanges(taken, range.after)
  // The page counts as one.
  const opened = sql`${taken.length + written.length - 1}::integer`
  const rows = await sql`
    with replaced as (
      delete from push_pages where ${isThisPage(sql, page)}
        and not exists (select from push_pauses p where p.provider = any(${taken.map(({ provider }) => provider)}::text[]))
      returning uid
    ), counted as (
      update push_sends as s set ${countOpenBatches(sql, opened, sql`s.has_dead_letters`)}
      from replaced where s.uid = replaced.uid
      returning s.state, s.expire_at, s.drops
    ), written as (
      ${insertNewBatches(sql, written, 'replaced')}
    ), taken as (
      insert into push_batches (uid, lane, provider, target_kind, target_count, range_after, range_until, claimable_at,
        claimed, fence, attempt, first_attempt_at)
      select replaced.uid, ${LANES.broadcast}, t.provider, 'token', t.count, t.after, t.until,
        clock_timestamp() + ${leaseMs} * interval '1 ms', true, 1, 1, clock_timestamp()
      from replaced, unnest(${ranged.map(({ batch }) => batch.provider)}::text[],
        ${ranged.map(({ batch }) => batch.count)}::integer[], ${ranged.map(({ after }) => after)}::text[],
        ${ranged.map(({ until }) => until)}::text[]) as t (provider, count, after, until)
      returning id, provider, range_until
    )
    select t.id, t.provider, t.range_until, c.drops > 0 as has_drops, coalesce(c.state = ${CANCELLED}, true) as is_cancelled,
      (extract(epoch from c.expire_at - clock_timestamp()) * 1000)::float8 as expires_in_ms
    from replaced left join counted c on true left join taken t on true`
  if (rows.length === 0) return undefined
  const batches = new Map(ranged.map(({ batch, until }) => [`${batch.provider} ${until}`, batch]))
  return rows.flatMap((row) => {
    const { id, provider, range_until, ...send } = v.parse(Taken, row)
    const batch = batches.get(`${provider} ${range_until}`)
    return id === null || !batch ? [] : [makeClaim(uid, id, batch, send)]
  })
}

/**
 * The row of a page that is still ours. Its number is not enough: the commit that made it may be forgotten by a crash of the
 * server, and another page get the same.
 */
function isThisPage(sql: Sql, { id, uid, fence, range }: PageClaim): Fragment {
  return sql`id = ${id} and fence = ${fence} and uid = ${uid} and range_after is not distinct from ${range.after ?? null}
    and range_until is not distinct from ${range.until ?? null}`
}

/** Each begins where the one before it of its provider ends. */
function addRanges(batches: readonly NewBatch[], start: string | undefined): Ranged[] {
  const ends = new Map<ProviderName, string>()
  return batches.map((batch) => {
    const until = lastDevice(batch.lines)
    const after = ends.get(batch.provider) ?? start ?? null
    ends.set(batch.provider, until)
    return { batch, after, until }
  })
}

function makeClaim(
  uid: string,
  id: string,
  { provider, lane, targetKind, count, lines }: NewBatch,
  send: Pick<v.InferOutput<typeof Taken>, 'expires_in_ms' | 'has_drops' | 'is_cancelled'>,
): BatchClaim {
  const expiresInMs = send.expires_in_ms ?? undefined
  const isExpired = expiresInMs !== undefined && expiresInMs <= 0
  return {
    id,
    uid,
    lane,
    provider,
    targetKind,
    count,
    lines: decodeLines(lines),
    fence: 1,
    attempt: 1,
    ambiguousAttempts: 0,
    ageMs: 0,
    expiresInMs,
    sendState: send.is_cancelled ? 'cancelled' : isExpired ? 'expired' : 'live',
    hasDrops: send.has_drops ?? false,
    settled: undefined,
    isProbe: false,
  }
}

const LostPage = v.object({
  id: v.string(),
  fence: v.string(),
  uid: v.string(),
  range_after: v.nullable(v.string()),
  range_until: v.nullable(v.string()),
  recipient: v.nullable(v.instance(Uint8Array)),
  content: v.nullable(v.instance(Uint8Array)),
})
const LostBatch = v.object({
  ...LostPage.entries,
  provider: v.picklist(PROVIDER_NAMES),
  target_count: v.number(),
})

export async function claimLostPages(sql: Sql, limit: number, leaseMs: number): Promise<LostPart[]> {
  const rows = await sql`
    with lost as materialized (
      select id, uid from push_pages where claimable_at <= (select clock_timestamp())
      order by claimable_at limit ${limit} for update skip locked
    )
    update push_pages as p set fence = p.fence + 1, claimable_at = clock_timestamp() + ${leaseMs} * interval '1 ms'
    from lost left join push_sends s on s.uid = lost.uid
    where p.id = lost.id
    returning p.id, p.fence, p.uid, p.range_after, p.range_until, s.recipient, s.content`
  return rows.map((row) => ({ ...readLost(v.parse(LostPage, row)), batch: undefined }))
}

/** @param settleMs after a start of the server: who waited for it, and holds what looks lost since, is to extend that first */
export async function claimLostBatches(
  sql: Sql,
  limit: number,
  { leaseMs, settleMs }: { leaseMs: number; settleMs: number },
): Promise<LostPart[]> {
  const rows = await sql`
    with lost as materialized (
      select id, uid from push_batches
      where targets is null and claimable_at <= (select clock_timestamp())
        and pg_postmaster_start_time() < clock_timestamp() - ${settleMs} * interval '1 ms'
      order by claimable_at limit ${limit} for update skip locked
    )
    update push_batches as b set fence = b.fence + 1, claimable_at = clock_timestamp() + ${leaseMs} * interval '1 ms'
    from lost left join push_sends s on s.uid = lost.uid
    where b.id = lost.id
    returning b.id, b.fence, b.uid, b.range_after, b.range_until, b.provider, b.target_count, s.recipient, s.content`
  return rows.map((row) => {
    const { provider, target_count: count, ...part } = v.parse(LostBatch, row)
    return { ...readLost(part), batch: { provider, count } }
  })
}

function readLost({ id, fence, uid, range_after, range_until, recipient, content }: v.InferOutput<typeof LostPage>) {
  const isLive = recipient !== null && content !== null
  return {
    id,
    uid,
    fence: Number(fence),
    range: { after: range_after ?? undefined, until: range_until ?? undefined },
    send: isLive
      ? { recipient: decodeRecipient(Buffer.from(recipient)), content: decodeContent(Buffer.from(content)) }
      : undefined,
  }
}

const Paused = v.object({ provider: v.picklist(PROVIDER_NAMES) })

/** Which providers of these batches are paused. */
export async function selectPaused(sql: Sql, batches: readonly NewBatch[]): Promise<ProviderName[]> {
  const rows = await sql`
    select provider from push_pauses where provider = any(${batches.map(({ provider }) => provider)}::text[])`
  return rows.map((row) => v.parse(Paused, row).provider)
}

/** Gives a page back, to be lost from then on. */
export async function releaseTakenPage(sql: Sql, page: PageClaim): Promise<void> {
  await sql`update push_pages set claimable_at = clock_timestamp() where ${isThisPage(sql, page)}`
}

/** Gives a page back for later. @param holdsWalk whether no further page of the send is taken until it is restored */
export async function restPage(sql: Sql, page: PageClaim, holdsWalk: boolean): Promise<void> {
  await sql`
    update push_pages set
      claimable_at = clock_timestamp() + ${FULL_PAUSE_MS} * interval '1 ms', is_resting = is_resting or ${holdsWalk}
    where ${isThisPage(sql, page)}`
}
