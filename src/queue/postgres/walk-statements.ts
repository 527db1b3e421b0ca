// The SQL of fan-out: who walks a send, and what its pages write. Each is one statement, whole or not at all.
import * as v from 'valibot'
import type { Sql } from '../../database/pool.ts'
import type { CommitResult, Lane, NewBatch, Page, SendClaim } from '../queue.ts'
import { decodeContent, decodeRecipient } from '../send-content.ts'
import { insertNewBatches } from './new-batches.ts'
import { DONE, FANNED, FANNING, KEEP_ENDED, LANES } from './states.ts'

/** A broadcast's walk waits while this many batches of one of its page's providers wait: memory stays flat. */
const WAITING_BATCHES_PER_PROVIDER = 200
/** The same while a provider is paused, so that its part of a broadcast does not hold up the others at once. */
const WAITING_BATCHES_WHILE_PAUSED = 2000

const StoredSend = v.object({
  uid: v.string(),
  recipient: v.instance(Uint8Array),
  content: v.instance(Uint8Array),
  fence: v.string(),
  cursor: v.nullable(v.string()),
})

/** Claims the sends of a lane that have been due for longest. */
export async function claimDueSends(sql: Sql, lane: Lane, limit: number, leaseMs: number): Promise<SendClaim[]> {
  const rows = await sql`
    with due as materialized (
      select uid from push_sends where lane = ${LANES[lane]} and claimable_at <= (select clock_timestamp())
      order by claimable_at limit ${limit} for update skip locked
    )
    update push_sends as s
    set state = ${FANNING}, fence = s.fence + 1, claimable_at = clock_timestamp() + ${leaseMs} * interval '1 ms'
    from due where s.uid = due.uid
    returning s.uid, s.recipient, s.content, s.fence, s.cursor`
  return rows.map((row) => readClaim(row, lane))
}

/** @param row with the columns of a StoredSend */
export function readClaim(row: unknown, lane: Lane): SendClaim {
  const { uid, recipient, content, fence, cursor } = v.parse(StoredSend, row)
  return {
    uid,
    lane,
    recipient: decodeRecipient(Buffer.from(recipient)),
    content: decodeContent(Buffer.from(content)),
    fence: Number(fence),
    cursor: cursor ?? undefined,
  }
}

/** Writes the page behind the claim's cursor and moves that, under the claim's fence. */
export async function insertPage(sql: Sql, claim: SendClaim, page: Page, leaseMs: number): Promise<CommitResult> {
  if (await isProviderFull(sql, page.batches)) {
    return (await extendSendLease(sql, claim, leaseMs)) === 'extended' ? 'full' : 'lost'
  }
  const isLast = page.cursor === undefined
  const opened = page.batches.length
  const moved = await sql`
    with moved as (
      update push_sends as s set
        cursor = ${page.cursor ?? null},
        open_batches = s.open_batches + ${opened},
        claimable_at = case when not ${isLast} then clock_timestamp() + ${leaseMs} * interval '1 ms' end,
        recipient = case when not ${isLast} then s.recipient end,
        state = case when not ${isLast} then s.state when s.open_batches + ${opened} > 0 then ${FANNED} else ${DONE} end,
        content = case when ${isLast} and s.open_batches + ${opened} = 0 and not s.has_dead_letters then null else s.content end,
        forget_at = case when ${isLast} and s.open_batches + ${opened} = 0 then clock_timestamp() + ${KEEP_ENDED}::interval end
      where uid = ${claim.uid} and fence = ${claim.fence} and state = ${FANNING}
        and cursor is not distinct from ${claim.cursor ?? null}
      returning uid
    ), written as (
      ${insertNewBatches(sql, page.batches, 'moved')}
    )
    select uid from moved`
  return moved.length > 0 || (await isCommitted(sql, claim, page)) ? 'committed' : 'lost'
}

/** Whether this very page was committed before, by a call whose answer did not arrive. */
async function isCommitted(sql: Sql, claim: SendClaim, { cursor }: Page): Promise<boolean> {
  const isThere =
    cursor === undefined ? sql`state in (${FANNED}, ${DONE})` : sql`state = ${FANNING} and cursor = ${cursor}`
  const rows = await sql`
    select from push_sends where uid = ${claim.uid} and fence = ${claim.fence} and ${isThere}`
  return rows.length > 0
}

export async function isProviderFull(sql: Sql, batches: readonly NewBatch[]): Promise<boolean> {
  const providers = new Set(batches.filter(({ lane }) => lane === 'broadcast').map(({ provider }) => provider))
  if (providers.size === 0) return false
  const full = await sql`
    select from unnest(${[...providers]}::text[]) as given (provider)
    cross join lateral (
      select case when exists (select from push_pauses p where p.provider = given.provider)
        then ${WAITING_BATCHES_WHILE_PAUSED}::int else ${WAITING_BATCHES_PER_PROVIDER}::int end as most
    ) as allowed
    where allowed.most = (
      select count(*) from (
        select from push_batches b
        where b.provider = given.provider and b.lane = ${LANES.broadcast} and b.claimable_at <= (select clock_timestamp())
          and b.targets is not null
        limit allowed.most
      ) as waiting
    )`
  return full.length > 0
}

export async function extendSendLease(sql: Sql, { uid, fence }: SendClaim, leaseMs: number) {
  const extended = await sql`
    update push_sends set claimable_at = clock_timestamp() + ${leaseMs} * interval '1 ms'
    where uid = ${uid} and fence = ${fence} and state = ${FANNING}
    returning uid`
  return extended.length > 0 ? 'extended' : 'lost'
}

/** Ends a walk early: another worker may go on at once. */
export async function releaseWalk(sql: Sql, { uid, fence }: SendClaim): Promise<void> {
  await sql`
    update push_sends set claimable_at = clock_timestamp()
    where uid = ${uid} and fence = ${fence} and state = ${FANNING}`
}
