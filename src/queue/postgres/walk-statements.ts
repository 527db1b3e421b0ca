// The SQL of fan-out: claims sends, and stores their batches page by page. Each change is one statement, so it is
// atomic.
import * as v from 'valibot'
import type { Sql } from '../../database/pool.ts'
import type { NewBatch } from '../batch.ts'
import type { Lane } from '../lane.ts'
import { MAX_WAITING_BATCHES, MAX_WAITING_BATCHES_OF_PAUSED } from '../limits.ts'
import type { CommitResult, Page, SendClaim } from '../send.ts'
import { countPage } from '../stored-report.ts'
import { decodeContent, decodeRecipient } from '../stored-send.ts'
import { insertNewBatches } from './new-batches.ts'
import { countOpenBatches } from './open-batches.ts'
import { addCounts, encodeCounts } from './report-counts.ts'
import { DONE, FANNED, FANNING, LANES } from './states.ts'

const ClaimedSend = v.object({
  uid: v.string(),
  recipient: v.instance(Uint8Array),
  content: v.instance(Uint8Array),
  fence: v.string(),
  cursor: v.nullable(v.string()),
  has_exclusions: v.boolean(),
})

/** Claims sends of a lane in the order in which they became due. */
export async function claimDueSends(sql: Sql, lane: Lane, limit: number, leaseMs: number): Promise<SendClaim[]> {
  const rows = await sql`
    with due as materialized (
      select uid from push_sends where lane = ${LANES[lane]} and claimable_at <= (select clock_timestamp())
      order by claimable_at limit ${limit} for update skip locked
    )
    update push_sends as s
    set state = ${FANNING}, fence = s.fence + 1, claimable_at = clock_timestamp() + ${leaseMs} * interval '1 ms'
    from due where s.uid = due.uid
    returning s.uid, s.recipient, s.content, s.fence, s.cursor, s.drops > 0 as has_exclusions`
  return rows.map((row) => {
    const { uid, recipient, content, fence, cursor, has_exclusions: hasExclusions } = v.parse(ClaimedSend, row)
    return {
      uid,
      lane,
      recipient: decodeRecipient(Buffer.from(recipient)),
      content: decodeContent(Buffer.from(content)),
      fence: Number(fence),
      cursor: cursor ?? undefined,
      hasExclusions,
    }
  })
}

/** Stores the batches of the page after the claim's cursor and moves the cursor, unless the claim is lost. */
export async function insertPage(sql: Sql, claim: SendClaim, page: Page, leaseMs: number): Promise<CommitResult> {
  if (await isProviderFull(sql, page.batches)) {
    return (await extendSendLease(sql, claim, leaseMs)) === 'extended' ? 'full' : 'lost'
  }
  const isLast = page.cursor === undefined
  const hasRanges = sql`(s.has_ranges or ${page.batches.some(({ targets }) => targets.kind === 'range')})`
  const moved = await sql`
    with moved as (
      update push_sends as s set
        cursor = ${page.cursor ?? null},
        claimable_at = case when not ${isLast} then clock_timestamp() + ${leaseMs} * interval '1 ms' end,
        has_ranges = ${hasRanges},
        counts = ${addCounts(sql, sql`${encodeCounts(countPage(page))}::text::jsonb`)},
        ${countOpenBatches(sql, {
          opened: sql`${page.batches.length}::integer`,
          hasDeadLetters: sql`s.has_dead_letters`,
          state: sql`case when ${isLast} then ${FANNED}::smallint else s.state end`,
          recipient: sql`case when not ${isLast} or ${hasRanges} then s.recipient end`,
        })}
      where s.uid = ${claim.uid} and s.fence = ${claim.fence} and s.state = ${FANNING}
        and s.cursor is not distinct from ${claim.cursor ?? null}
      returning s.uid
    ), written as (
      ${insertNewBatches(sql, page.batches, 'moved')}
    )
    select uid from moved`
  return moved.length > 0 || (await isCommitted(sql, claim, page)) ? 'committed' : 'lost'
}

/** Whether an earlier call has committed this page. The answer of that call was lost. */
export async function isCommitted(sql: Sql, claim: SendClaim, { cursor }: Page): Promise<boolean> {
  const isThere =
    cursor === undefined ? sql`state in (${FANNED}, ${DONE})` : sql`state = ${FANNING} and cursor = ${cursor}`
  const rows = await sql`
    select from push_sends where uid = ${claim.uid} and fence = ${claim.fence} and ${isThere}`
  return rows.length > 0
}

/** Whether a provider of these batches already has MAX_WAITING_BATCHES (or, if paused, its higher limit) waiting. */
async function isProviderFull(sql: Sql, batches: readonly NewBatch[]): Promise<boolean> {
  const providers = new Set(batches.filter(({ lane }) => lane === 'broadcast').map(({ provider }) => provider))
  if (providers.size === 0) return false
  const full = await sql`
    select from unnest(${[...providers]}::text[]) as given (provider)
    cross join lateral (
      select case when exists (select from push_pauses p where p.provider = given.provider)
        then ${MAX_WAITING_BATCHES_OF_PAUSED}::int else ${MAX_WAITING_BATCHES}::int end as most
    ) as allowed
    where allowed.most = (
      select count(*) from (
        select from push_batches b
        where b.provider = given.provider and b.lane = ${LANES.broadcast}
          and b.claimable_at <= (select clock_timestamp())
        limit allowed.most
      ) as waiting
    )`
  return full.length > 0
}

/** Extends the lease of a claimed send during its fan-out. */
export async function extendSendLease(sql: Sql, { uid, fence }: SendClaim, leaseMs: number) {
  const extended = await sql`
    update push_sends set claimable_at = clock_timestamp() + ${leaseMs} * interval '1 ms'
    where uid = ${uid} and fence = ${fence} and state = ${FANNING}
    returning uid`
  return extended.length > 0 ? 'extended' : 'lost'
}

/** Releases the claim of a send before its fan-out is finished; the send can be claimed again at once. */
export async function releaseWalk(sql: Sql, { uid, fence }: SendClaim): Promise<void> {
  await sql`
    update push_sends set claimable_at = clock_timestamp()
    where uid = ${uid} and fence = ${fence} and state = ${FANNING}`
}
