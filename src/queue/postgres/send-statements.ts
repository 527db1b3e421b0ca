// The SQL that stores sends, ends them, and reads what they say.
import * as v from 'valibot'
import type { Fragment, Sql } from '../../database/pool.ts'
import type { Page, Send, SendContent } from '../queue.ts'
import { decodeContent, encodeContent, encodeRecipient } from '../send-content.ts'
import { insertNewBatches } from './new-batches.ts'
import { ANNOUNCED, CANCELLED, DONE, FANNED, FANNING, KEEP_ANNOUNCED, KEEP_ENDED, LANES, WAITING } from './states.ts'
import type { Notice } from './wake-up.ts'

const Known = v.object({ request_hash: v.nullable(v.instance(Uint8Array)) })
const Content = v.object({ content: v.instance(Uint8Array) })
const Cancelled = v.object({ uid: v.string(), part: v.picklist(['all', 'some']) })

/**
 * Stores a send, or tells what its uid already stands for. A send met by its cancellation stays cancelled.
 * @param notice what workers are notified of with the commit; nothing of undefined
 */
export async function insertSend(sql: Sql, send: Send, page: Page | undefined, notice: Notice | undefined) {
  const batches = page?.batches ?? []
  const state = page === undefined ? WAITING : batches.length > 0 ? FANNED : DONE
  const stored = await sql`
    with stored as (
      insert into push_sends as s (
        uid, state, lane, request_hash, recipient, content, claimable_at, expire_at, open_batches, forget_at
      ) values (
        ${send.uid}, ${state}, ${LANES[send.lane]}, ${send.requestHash},
        ${state === WAITING ? encodeRecipient(send.recipient) : null},
        ${state === DONE ? null : encodeContent(send.content)},
        case when ${state === WAITING && !send.takesPages} then ${dueAt(sql, send)} end,
        ${dateOf(send.expireAtMs)}, ${batches.length},
        case when ${state === DONE} then clock_timestamp() + ${KEEP_ENDED}::interval end
      )
      on conflict (uid) do update set
        request_hash = excluded.request_hash, lane = excluded.lane, expire_at = excluded.expire_at,
        open_batches = excluded.open_batches,
        state = case when s.state = ${ANNOUNCED} then excluded.state else s.state end,
        (recipient, content, claimable_at) = (
          select excluded.recipient, excluded.content, excluded.claimable_at where s.state = ${ANNOUNCED}
        ),
        forget_at = case
          when s.state = ${ANNOUNCED} then excluded.forget_at
          else clock_timestamp() + ${KEEP_ENDED}::interval
        end
        where s.request_hash is null
      returning uid, state
    ), live as (
      select uid from stored where state <> ${CANCELLED}
    ), written as (
      ${insertNewBatches(sql, batches, 'live')}
    ), walk as (
      insert into push_walks (uid, claimable_at)
      select uid, ${dueAt(sql, send)} from live where ${state === WAITING && send.takesPages}
    )
    select case when ${notice !== undefined} then pg_notify(${notice?.channel ?? ''}, ${notice?.work ?? ''}) end from stored`
  if (stored.length > 0) return 'accepted'
  const [known] = await sql`select request_hash from push_sends where uid = ${send.uid}`
  // Gone in between means that its 24 hours ended just now: the caller's retry stores it.
  const hash = known && v.parse(Known, known).request_hash
  return hash && send.requestHash.equals(hash) ? 'duplicate' : 'conflict'
}

/** Ends a send that is still on its way; leaves a mark for one that has not come yet. */
export async function cancelSend(sql: Sql, uid: string): Promise<void> {
  await sql`
    insert into push_sends as s (uid, state, forget_at)
    values (${uid}, ${CANCELLED}, clock_timestamp() + ${KEEP_ANNOUNCED}::interval)
    on conflict (uid) do update set
      state = ${CANCELLED}, claimable_at = null, recipient = null, content = null, fence = s.fence + 1,
      forget_at = clock_timestamp() + case when s.request_hash is null then ${KEEP_ANNOUNCED} else ${KEEP_ENDED} end::interval
      where s.state in (${WAITING}, ${FANNING}, ${FANNED}, ${ANNOUNCED})`
  // One that is left is not claimed, and forgotten with its send.
  await sql`delete from push_walks where uid = ${uid}`
}

export async function selectContent(sql: Sql, uid: string): Promise<SendContent | undefined> {
  const [row] = await sql`select content from push_sends where uid = ${uid} and content is not null`
  return row && decodeContent(Buffer.from(v.parse(Content, row).content))
}

/** Which of these sends were cancelled, as a whole or some targets of them. */
export async function selectCancelled(sql: Sql, uids: readonly string[]) {
  const rows = await sql`
    select uid, case when state = ${CANCELLED} then 'all' else 'some' end as part from push_sends
    where uid = any(${[...uids]}::text[]) and (state = ${CANCELLED} or drops > 0)`
  return new Map(
    rows.map((row) => {
      const { uid, part } = v.parse(Cancelled, row)
      return [uid, part]
    }),
  )
}

function dueAt(sql: Sql, { sendAtMs }: Send): Fragment {
  return sql`coalesce(${dateOf(sendAtMs)}::timestamptz, clock_timestamp())`
}

function dateOf(unixMs: number | undefined): Date | null {
  return unixMs === undefined ? null : new Date(unixMs)
}
