// The SQL that moves a send through its states. Whatever changes rows is one statement, whole or not at all.
import * as v from 'valibot'
import type { Sql } from '../../database/pool.ts'
import type { CommitResult, NewBatch, Page, Send, SendClaim } from '../queue.ts'
import { decodeSendContent, encodeSendContent } from '../send-content.ts'
import { encodeTargets } from '../targets.ts'

export const WAITING = 0
const FANNING = 1
export const FANNED = 2
export const DONE = 3
export const CANCELLED = 4

/** A broadcast's walk waits while this many batches of one of its page's providers wait: memory stays flat. */
const WAITING_BATCHES_PER_PROVIDER = 200

/** Lanes as the tables have them. */
export const LANES = { small: 0, broadcast: 1 } as const

const StoredSend = v.object({
  uid: v.string(),
  request_hash: v.instance(Uint8Array),
  content: v.instance(Uint8Array),
  expire_at: v.nullable(v.date()),
  fence: v.string(),
  cursor: v.nullable(v.string()),
})
const Hash = v.object({ request_hash: v.nullable(v.instance(Uint8Array)) })

/** The columns of new batches as arrays, for `unnest`. */
function columns(batches: readonly NewBatch[]) {
  return {
    lanes: batches.map((batch) => LANES[batch.lane]),
    providers: batches.map((batch) => batch.provider),
    kinds: batches.map((batch) => batch.targetKind),
    targets: batches.map((batch) => encodeTargets(batch.targets)),
  }
}

/** Stores a send, or tells what its uid already stands for. A send met by its cancellation stays cancelled. */
export async function insertSend(sql: Sql, send: Send, page: Page | undefined) {
  const batches = columns(page?.batches ?? [])
  const state = page === undefined ? WAITING : page.batches.length > 0 ? FANNED : DONE
  const stored = await sql`
    with stored as (
      insert into push_sends (uid, state, request_hash, content, claimable_at, expire_at, open_batches, ended_at)
      values (
        ${send.uid}, ${state}, ${send.requestHash}, ${state === DONE ? null : encodeSendContent(send)},
        case when ${state === WAITING} then coalesce(${dateOf(send.sendAtMs)}, clock_timestamp()) end,
        ${dateOf(send.expireAtMs)}, ${batches.targets.length},
        case when ${state === DONE} then clock_timestamp() end
      )
      on conflict (uid) do update set request_hash = excluded.request_hash, ended_at = clock_timestamp()
        where push_sends.request_hash is null
      returning uid, state
    ), written as (
      insert into push_batches (uid, lane, provider, target_kind, targets, claimable_at)
      select stored.uid, b.lane, b.provider, b.kind, b.targets, clock_timestamp()
      from stored, unnest(${batches.lanes}::smallint[], ${batches.providers}::text[], ${batches.kinds}::text[],
        ${batches.targets}::text[]) as b (lane, provider, kind, targets)
      where stored.state <> ${CANCELLED}
    )
    select state from stored`
  if (stored.length > 0) return 'accepted'
  const [known] = await sql`select request_hash from push_sends where uid = ${send.uid}`
  // Gone in between means that its 24 hours ended just now: the caller's retry stores it.
  const hash = known && v.parse(Hash, known).request_hash
  return hash && send.requestHash.equals(hash) ? 'duplicate' : 'conflict'
}

/** Ends a send that is still on its way; leaves a mark for one that has not come yet. */
export async function cancelSend(sql: Sql, uid: string): Promise<void> {
  await sql`
    insert into push_sends (uid, state, ended_at) values (${uid}, ${CANCELLED}, clock_timestamp())
    on conflict (uid) do update
      set state = ${CANCELLED}, claimable_at = null, content = null, fence = push_sends.fence + 1,
        ended_at = clock_timestamp()
      where push_sends.state in (${WAITING}, ${FANNING}, ${FANNED})`
}

/** Claims the send that has been due for longest. */
export async function claimDueSend(sql: Sql, leaseMs: number): Promise<SendClaim | undefined> {
  const [row] = await sql`
    with due as materialized (
      select uid from push_sends where claimable_at <= (select clock_timestamp())
      order by claimable_at limit 1 for update skip locked
    )
    update push_sends as s
    set state = ${FANNING}, fence = s.fence + 1, claimable_at = clock_timestamp() + ${leaseMs} * interval '1 ms'
    from due where s.uid = due.uid
    returning s.uid, s.request_hash, s.content, s.expire_at, s.fence, s.cursor`
  if (!row) return undefined
  const stored = v.parse(StoredSend, row)
  return { send: readSend(stored), fence: Number(stored.fence), cursor: stored.cursor ?? undefined }
}

/** Writes a page's batches and moves the cursor, under the claim's fence. */
export async function insertPage(sql: Sql, claim: SendClaim, page: Page, leaseMs: number): Promise<CommitResult> {
  if (await isProviderFull(sql, page.batches)) return (await extendWalk(sql, claim, leaseMs)) ? 'full' : 'lost'
  const batches = columns(page.batches)
  const last = page.cursor === undefined
  const moved = await sql`
    with moved as (
      update push_sends set
        cursor = ${page.cursor ?? null},
        open_batches = open_batches + ${batches.targets.length},
        claimable_at = case when not ${last} then clock_timestamp() + ${leaseMs} * interval '1 ms' end,
        state = case
          when not ${last} then state
          when open_batches + ${batches.targets.length} > 0 then ${FANNED}
          else ${DONE}
        end,
        content = case when ${last} and open_batches + ${batches.targets.length} = 0 then null else content end,
        ended_at = case when ${last} and open_batches + ${batches.targets.length} = 0 then clock_timestamp() end
      where uid = ${claim.send.uid} and fence = ${claim.fence} and state = ${FANNING}
      returning uid
    ), written as (
      insert into push_batches (uid, lane, provider, target_kind, targets, claimable_at)
      select moved.uid, b.lane, b.provider, b.kind, b.targets, clock_timestamp()
      from moved, unnest(${batches.lanes}::smallint[], ${batches.providers}::text[], ${batches.kinds}::text[],
        ${batches.targets}::text[]) as b (lane, provider, kind, targets)
    )
    select uid from moved`
  return moved.length > 0 ? 'committed' : 'lost'
}

async function isProviderFull(sql: Sql, batches: readonly NewBatch[]): Promise<boolean> {
  const broadcasts = batches.filter((batch) => batch.lane === 'broadcast')
  for (const provider of new Set(broadcasts.map((batch) => batch.provider))) {
    const waiting = await sql`
      select from push_batches
      where lane = ${LANES.broadcast} and claimable_at <= (select clock_timestamp()) and provider = ${provider}
      limit ${WAITING_BATCHES_PER_PROVIDER}`
    if (waiting.length === WAITING_BATCHES_PER_PROVIDER) return true
  }
  return false
}

async function extendWalk(sql: Sql, { send, fence }: SendClaim, leaseMs: number): Promise<boolean> {
  const extended = await sql`
    update push_sends set claimable_at = clock_timestamp() + ${leaseMs} * interval '1 ms'
    where uid = ${send.uid} and fence = ${fence} and state = ${FANNING}
    returning uid`
  return extended.length > 0
}

/** Ends a walk early: another worker may go on at once. */
export async function releaseWalk(sql: Sql, { send, fence }: SendClaim): Promise<void> {
  await sql`
    update push_sends set claimable_at = clock_timestamp()
    where uid = ${send.uid} and fence = ${fence} and state = ${FANNING}`
}

export async function selectSend(sql: Sql, uid: string): Promise<Send | undefined> {
  const [row] = await sql`
    select uid, request_hash, content, expire_at, fence, cursor from push_sends
    where uid = ${uid} and content is not null`
  return row && readSend(v.parse(StoredSend, row))
}

/** Forgets uids: 24 hours after their send ended, 10 minutes after a cancellation whose send never came. */
export async function deleteEndedSends(sql: Sql): Promise<void> {
  await sql`
    delete from push_sends
    where ended_at < clock_timestamp() - case when request_hash is null then interval '10 min' else interval '24 h' end`
}

function readSend(stored: v.InferOutput<typeof StoredSend>): Send {
  return {
    uid: stored.uid,
    requestHash: Buffer.from(stored.request_hash),
    sendAtMs: undefined,
    expireAtMs: stored.expire_at?.getTime(),
    ...decodeSendContent(Buffer.from(stored.content)),
  }
}

function dateOf(unixMs: number | undefined): Date | null {
  return unixMs === undefined ? null : new Date(unixMs)
}
