// The SQL that cancels and reads sends.
import * as v from 'valibot'
import { type CallDeadline, isInTime } from '../../database/call-deadline.ts'
import type { Fragment, Sql } from '../../database/pool.ts'
import { KEEP_ENDED_SECONDS, KEEP_UNKNOWN_SECONDS } from '../limits.ts'
import type { StoredSend } from '../send.ts'
import { decodeContent, decodeRecipient } from '../stored-send.ts'
import { CANCELLED, FANNED, FANNING, PLACEHOLDER, WAITING } from './states.ts'

const Stored = v.object({
  content: v.nullable(v.instance(Uint8Array)),
  recipient: v.nullable(v.instance(Uint8Array)),
})

/**
 * Cancels sends that have not ended, and stores the cancellations of unknown uids. The recipient is kept while range
 * batches are open, because their workers count the cancelled targets. Locks the rows in the order of their uids.
 * @param uids each of them once
 */
export async function cancelSends(sql: Sql, uids: readonly string[], deadline: CallDeadline): Promise<void> {
  const deadlineMs = await deadline.toDatabaseTime()
  await sql`
    with cancelled as (
      insert into push_sends as s (uid, state, forget_at)
      select uid, ${CANCELLED}, ${keptUntil(sql, KEEP_UNKNOWN_SECONDS)} from unnest(${uids}::text[]) as given (uid)
      order by uid
      on conflict (uid) do update set
        state = ${CANCELLED}, claimable_at = null, content = null, fence = s.fence + 1,
        recipient = case when s.has_ranges and s.open_batches > 0 then s.recipient end,
        ended_at = case when s.open_batches = 0 and s.request_hash is not null then clock_timestamp() end,
        forget_at = case
          when s.request_hash is null then ${keptUntil(sql, KEEP_UNKNOWN_SECONDS)}
          else ${keptUntil(sql, KEEP_ENDED_SECONDS)}
        end
        where s.state in (${WAITING}, ${FANNING}, ${FANNED}, ${PLACEHOLDER})
      returning uid
    )
    -- Evaluated after the waits for the locks of all rows.
    select count(*) from cancelled having ${isInTime(sql, deadlineMs)}`
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
