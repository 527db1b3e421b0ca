// The SQL that stores, cancels and reads sends.
import * as v from 'valibot'
import { type CallDeadline, isInTime } from '../../database/call-deadline.ts'
import type { Fragment, Sql } from '../../database/pool.ts'
import { KEEP_ENDED_SECONDS, KEEP_UNKNOWN_SECONDS } from '../limits.ts'
import type { Page, Send, StoredSend } from '../send.ts'
import { countPage, encodeSubject } from '../stored-report.ts'
import { decodeContent, decodeRecipient, encodeContent, encodeRecipient } from '../stored-send.ts'
import { insertNewBatches } from './new-batches.ts'
import { encodeCounts } from './report-counts.ts'
import { CANCELLED, DONE, FANNED, FANNING, LANES, PLACEHOLDER, WAITING } from './states.ts'
import type { Notice } from './wake-up.ts'

const Known = v.object({ request_hash: v.nullable(v.instance(Uint8Array)) })
const Stored = v.object({
  content: v.nullable(v.instance(Uint8Array)),
  recipient: v.nullable(v.instance(Uint8Array)),
})

/**
 * Stores a send, or compares its hash with the stored send of the same uid. A send stays cancelled if its cancellation
 * arrived first. The recipient is a text in the statement, because the driver would copy bytes four times, in
 * hexadecimal digits.
 * @param notice the NOTIFY that announces the send when the statement commits; undefined: no announcement
 */
export async function insertSend(
  sql: Sql,
  send: Send,
  page: Page | undefined,
  { notice, deadline }: { notice: Notice | undefined; deadline: CallDeadline },
) {
  const deadlineMs = await deadline.toDatabaseTime()
  const batches = page?.batches ?? []
  const { analyticsUid } = send.content
  const state = page === undefined ? WAITING : batches.length > 0 ? FANNED : DONE
  const stored = await sql`
    with stored as (
      insert into push_sends as s (
        uid, state, lane, request_hash, recipient, content, claimable_at, expire_at, open_batches, forget_at, ended_at,
        send_at, analytics_uid, subject, counts
      ) values (
        ${send.uid}, ${state}, ${LANES[send.lane]}, ${send.requestHash},
        convert_to(${state === WAITING ? encodeRecipient(send.recipient) : null}::text, 'UTF8'),
        ${state === DONE ? null : encodeContent(send.content)},
        case when ${state === WAITING} then coalesce(${dateOf(send.sendAtMs)}::timestamptz, clock_timestamp()) end,
        ${dateOf(send.expireAtMs)}, ${batches.length},
        case when ${state === DONE} then ${keptUntil(sql, KEEP_ENDED_SECONDS)} end,
        case when ${state === DONE} then clock_timestamp() end,
        ${dateOf(send.sendAtMs)}, ${analyticsUid === send.uid ? null : analyticsUid}, ${encodeSubject(send)},
        coalesce(${encodeCounts(page ? countPage(page) : [])}::text::jsonb, '{}')
      )
      on conflict (uid) do update set
        request_hash = excluded.request_hash, lane = excluded.lane, expire_at = excluded.expire_at,
        open_batches = excluded.open_batches,
        accepted_at = excluded.accepted_at, send_at = excluded.send_at, analytics_uid = excluded.analytics_uid,
        subject = excluded.subject,
        state = case when s.state = ${PLACEHOLDER} then excluded.state else s.state end,
        (recipient, content, claimable_at) = (
          select excluded.recipient, excluded.content, excluded.claimable_at where s.state = ${PLACEHOLDER}
        ),
        (counts, ended_at) = (
          select
            case when is_live then excluded.counts else s.counts end,
            case when is_live then excluded.ended_at else clock_timestamp() end
          from (select s.state = ${PLACEHOLDER} as is_live) as _
        ),
        forget_at = case
          when s.state = ${PLACEHOLDER} then excluded.forget_at else ${keptUntil(sql, KEEP_ENDED_SECONDS)}
        end
        where s.request_hash is null
      returning uid, state
    ), live as (
      select uid from stored where state <> ${CANCELLED}
    ), written as (
      ${insertNewBatches(sql, batches, 'live')}
    )
    select case when ${notice !== undefined} then pg_notify(${notice?.channel ?? ''}, ${notice?.lane ?? ''}) end
    from stored where ${isInTime(sql, deadlineMs)}`
  if (stored.length > 0) return 'accepted'
  const [known] = await sql`select request_hash from push_sends where uid = ${send.uid}`
  // No row means that the stored send was deleted during this call, after its 24 hours. This request is answered as a
  // conflict; if it is repeated, the send is stored.
  const hash = known && v.parse(Known, known).request_hash
  return hash && send.requestHash.equals(hash) ? 'duplicate' : 'conflict'
}

/**
 * Cancels a send that has not ended, or stores the cancellation of an unknown uid. The recipient is kept while range
 * batches are open, because their workers count the cancelled targets.
 */
export async function cancelSend(sql: Sql, uid: string, deadline: CallDeadline): Promise<void> {
  const deadlineMs = await deadline.toDatabaseTime()
  await sql`
    insert into push_sends as s (uid, state, forget_at)
    values (${uid}, ${CANCELLED}, ${keptUntil(sql, KEEP_UNKNOWN_SECONDS)})
    on conflict (uid) do update set
      state = ${CANCELLED}, claimable_at = null, content = null, fence = s.fence + 1,
      recipient = case when s.has_ranges and s.open_batches > 0 then s.recipient end,
      ended_at = case when s.open_batches = 0 and s.request_hash is not null then clock_timestamp() end,
      forget_at = case
        when s.request_hash is null then ${keptUntil(sql, KEEP_UNKNOWN_SECONDS)}
        else ${keptUntil(sql, KEEP_ENDED_SECONDS)}
      end
      where s.state in (${WAITING}, ${FANNING}, ${FANNED}, ${PLACEHOLDER})
    returning ${isInTime(sql, deadlineMs)}`
}

/**
 * Loads the parts of a send that delivery needs; undefined if neither its content nor its recipient is stored any more.
 */
export async function selectSend(sql: Sql, uid: string): Promise<StoredSend | undefined> {
  const [row] = await sql`
    select content, case when has_ranges then recipient end as recipient from push_sends
    where uid = ${uid} and (content is not null or recipient is not null)`
  if (!row) return undefined
  const { content, recipient } = v.parse(Stored, row)
  return {
    content: content ? decodeContent(Buffer.from(content)) : undefined,
    recipient: recipient ? decodeRecipient(Buffer.from(recipient)) : undefined,
  }
}

/** The time at which a row may be deleted that is kept for `seconds` from now on, as an SQL expression. */
export function keptUntil(sql: Sql, seconds: number): Fragment {
  return sql`clock_timestamp() + ${seconds} * interval '1 s'`
}

function dateOf(unixMs: number | undefined): Date | null {
  return unixMs === undefined ? null : new Date(unixMs)
}
