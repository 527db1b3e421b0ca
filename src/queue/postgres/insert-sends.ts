// The SQL that stores sends. Concurrent small sends share a statement and its commit.
import * as v from 'valibot'
import { type CallDeadline, isInTime } from '../../database/call-deadline.ts'
import type { Fragment, Sql } from '../../database/pool.ts'
import { KEEP_ENDED_SECONDS } from '../limits.ts'
import type { Insertion, NewSend, Send } from '../send.ts'
import { countPage, encodeSubject } from '../stored-report.ts'
import { encodeContent, encodeRecipient } from '../stored-send.ts'
import { insertBatchesOfSends, insertNewBatches } from './new-batches.ts'
import { encodeCounts } from './report-counts.ts'
import { keptUntil } from './send-statements.ts'
import { CANCELLED, DONE, FANNED, LANES, PLACEHOLDER, WAITING } from './states.ts'
import type { Notice } from './wake-up.ts'

const Stored = v.object({ uids: v.array(v.string()) })
const Known = v.object({ uid: v.string(), request_hash: v.nullable(v.instance(Uint8Array)) })

/**
 * Stores sends with different uids, each unless its uid is known: then it compares the hash with that of the stored
 * send. A send stays cancelled if its cancellation arrived first. Locks the rows in the order of their uids.
 * @param options `notices`: the NOTIFYs that announce the sends when the statement commits; after `deadline` nothing is
 *   stored
 * @returns the result of each send, in their order
 */
export async function insertSends(
  sql: Sql,
  sends: readonly NewSend[],
  { notices, deadline }: { notices: readonly Notice[]; deadline: CallDeadline },
): Promise<Insertion[]> {
  const deadlineMs = await deadline.toDatabaseTime()
  const [first] = sends
  const isAlone = sends.length === 1 && first
  const notified = notices.map(({ channel, lane }) => sql`, pg_notify(${channel}, ${lane})`)
  const rows = await sql`
    with stored as (
      insert into push_sends as s (
        uid, state, lane, request_hash, recipient, content, claimable_at, expire_at, open_batches, forget_at, ended_at,
        send_at, analytics_uid, subject, counts
      )
      select uid, state, lane, decode(request_hash, 'hex'), convert_to(recipient, 'UTF8'), convert_to(content, 'UTF8'),
        case when state = ${WAITING} then coalesce(${atMs(sql, sql`send_at_ms`)}, clock_timestamp()) end,
        ${atMs(sql, sql`expire_at_ms`)}, open_batches,
        case when state = ${DONE} then ${keptUntil(sql, KEEP_ENDED_SECONDS)} end,
        case when state = ${DONE} then clock_timestamp() end,
        ${atMs(sql, sql`send_at_ms`)}, analytics_uid, subject, coalesce(counts::jsonb, '{}')
      from ${isAlone ? giveOne(sql, first) : giveSends(sql, sends)}
      order by uid
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
      ${isAlone ? insertNewBatches(sql, first.page?.batches ?? [], 'live') : insertBatchesOfSends(sql, sends, 'live')}
    )
    select array_agg(uid) as uids ${notified.reduce((all, one) => sql`${all} ${one}`, sql``)}
    from stored
    -- Evaluated after the waits for the locks of all rows.
    having count(*) > 0 and ${isInTime(sql, deadlineMs)}`
  const stored = new Set(rows.flatMap((row) => v.parse(Stored, row).uids))
  const others = sends.filter(({ send }) => !stored.has(send.uid))
  const known = await selectHashes(sql, others)
  return sends.map(({ send }) => (stored.has(send.uid) ? 'accepted' : compareHash(send, known.get(send.uid))))
}

/**
 * A send without a stored row was deleted during this call, after its 24 hours. The request is answered as a conflict;
 * if it is repeated, the send is stored.
 */
function compareHash({ requestHash }: Send, known: Uint8Array | null | undefined): Insertion {
  return known && requestHash.equals(known) ? 'duplicate' : 'conflict'
}

async function selectHashes(sql: Sql, sends: readonly NewSend[]): Promise<Map<string, Uint8Array | null>> {
  if (sends.length === 0) return new Map()
  const uids = sends.map(({ send }) => send.uid)
  const rows = await sql`select uid, request_hash from push_sends where uid = any(${uids}::text[])`
  return new Map(rows.map((row) => v.parse(Known, row)).map(({ uid, request_hash }) => [uid, request_hash]))
}

/** The columns of a send in the table of sends to store. */
function encodeSend({ send, page }: NewSend) {
  const batches = page?.batches ?? []
  const state = page === undefined ? WAITING : batches.length > 0 ? FANNED : DONE
  const { analyticsUid } = send.content
  return {
    uid: send.uid,
    state,
    lane: LANES[send.lane],
    hash: send.requestHash.toString('hex'),
    recipient: state === WAITING ? encodeRecipient(send.recipient) : null,
    content: state === DONE ? null : encodeContent(send.content),
    sendAtMs: send.sendAtMs ?? null,
    expireAtMs: send.expireAtMs ?? null,
    openBatches: batches.length,
    analyticsUid: analyticsUid === send.uid ? null : analyticsUid,
    subject: encodeSubject(send),
    counts: encodeCounts(page ? countPage(page) : []),
  }
}

/**
 * The table of one send. Its texts are parameters of their own, because a recipient can have 16 MB, and PostgreSQL
 * takes as long to parse an array of long texts as to store them. The contents are texts, because the driver would copy
 * bytes four times, in hexadecimal digits.
 */
function giveOne(sql: Sql, send: NewSend): Fragment {
  const row = encodeSend(send)
  return sql`(
    select ${row.uid}::text as uid, ${row.state}::smallint as state, ${row.lane}::smallint as lane,
      ${row.hash}::text as request_hash, ${row.recipient}::text as recipient, ${row.content}::text as content,
      ${row.sendAtMs}::float8 as send_at_ms, ${row.expireAtMs}::float8 as expire_at_ms,
      ${row.openBatches}::integer as open_batches, ${row.analyticsUid}::text as analytics_uid,
      ${row.subject}::text as subject, ${row.counts}::text as counts
  ) as given`
}

/** The table of several small sends. The text of the statement is the same for any number of them. */
function giveSends(sql: Sql, sends: readonly NewSend[]): Fragment {
  const rows = sends.map(encodeSend)
  return sql`unnest(
    ${rows.map(({ uid }) => uid)}::text[], ${rows.map(({ state }) => state)}::smallint[],
    ${rows.map(({ lane }) => lane)}::smallint[], ${rows.map(({ hash }) => hash)}::text[],
    ${rows.map(({ recipient }) => recipient)}::text[], ${rows.map(({ content }) => content)}::text[],
    ${rows.map(({ sendAtMs }) => sendAtMs)}::float8[], ${rows.map(({ expireAtMs }) => expireAtMs)}::float8[],
    ${rows.map(({ openBatches }) => openBatches)}::integer[], ${rows.map(({ analyticsUid }) => analyticsUid)}::text[],
    ${rows.map(({ subject }) => subject)}::text[], ${rows.map(({ counts }) => counts)}::text[]
  ) as given (
    uid, state, lane, request_hash, recipient, content, send_at_ms, expire_at_ms, open_batches, analytics_uid, subject,
    counts
  )`
}

/** A Unix time in ms, or null, as an SQL expression of the type timestamptz. */
function atMs(sql: Sql, ms: Fragment): Fragment {
  return sql`timestamptz 'epoch' + ${ms} * interval '1 ms'`
}
