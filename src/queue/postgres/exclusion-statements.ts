// The SQL of exclusions: users and devices that a send is not sent to.
import * as v from 'valibot'
import { type CallDeadline, isInTime } from '../../database/call-deadline.ts'
import type { Sql } from '../../database/pool.ts'
import { type AckKind, type AckRule, countedKinds } from '../../sends/ack-rule.ts'
import { KEEP_UNKNOWN_SECONDS, MAX_EXCLUSIONS } from '../limits.ts'
import type { Exclusion } from '../send.ts'
import { keptUntil } from './send-statements.ts'
import { CANCELLED, DONE, PLACEHOLDER } from './states.ts'

/** The codes of the kinds of exclusions. */
const CANCEL_CODE = 0
const ACK_CODES: Record<AckKind, number> = { seen: 1, received: 2 }

/** An exclusion and the send that it belongs to. */
export interface SendExclusion extends Exclusion {
  uid: string
}

const Full = v.object({ uid: v.string() })

/**
 * Stores exclusions of sends. If a uid is unknown, its exclusions are kept for ten minutes in case the send arrives; if
 * the send has ended, nothing is stored. Locks the sends in the order of their uids.
 * @returns the uids of the sends that already have MAX_EXCLUSIONS; for these nothing was stored
 */
export async function insertExclusions(
  sql: Sql,
  exclusions: readonly SendExclusion[],
  deadline: CallDeadline,
): Promise<Set<string>> {
  const deadlineMs = await deadline.toDatabaseTime()
  const uids = [...new Set(exclusions.map(({ uid }) => uid))].sort()
  await sql`
    insert into push_sends (uid, state, forget_at)
    select uid, ${PLACEHOLDER}, ${keptUntil(sql, KEEP_UNKNOWN_SECONDS)}
    from unnest(${uids}::text[]) with ordinality as given (uid, place)
    order by place
    on conflict do nothing
    returning ${isInTime(sql, deadlineMs)}`
  const rows = await sql`
    with send as materialized (
      select uid, drops from push_sends
      where uid = any(${uids}::text[]) and state not in (${DONE}, ${CANCELLED})
      order by uid for update
    ), stored as (
      insert into push_drops (uid, user_id, device_id, kind)
      select uid, user_id, device_id, kind
      from send join unnest(
        ${exclusions.map(({ uid }) => uid)}::text[], ${exclusions.map(({ user }) => user)}::text[],
        ${exclusions.map(({ deviceId }) => deviceId)}::text[], ${exclusions.map(codeOf)}::smallint[]
      ) as given (uid, user_id, device_id, kind) using (uid)
      where drops < ${MAX_EXCLUSIONS} and ${isInTime(sql, deadlineMs)}
      on conflict do nothing
      returning uid
    ), counted as (
      update push_sends as s set
        drops = s.drops + added.count,
        forget_at = case
          when s.state = ${PLACEHOLDER} then ${keptUntil(sql, KEEP_UNKNOWN_SECONDS)} else s.forget_at
        end
      from (select uid, count(*)::integer as count from stored group by uid) as added
      where s.uid = added.uid
    )
    select uid from send where drops >= ${MAX_EXCLUSIONS}`
  return new Set(rows.map((row) => v.parse(Full, row).uid))
}

function codeOf({ ack }: Exclusion): number {
  return ack === undefined ? CANCEL_CODE : ACK_CODES[ack]
}

const Index = v.object({ index: v.string() })

/**
 * Finds for each target whether its user, its device, or its device with its user is excluded.
 * @param rule the acks that count
 */
export async function selectExcluded(
  sql: Sql,
  uid: string,
  targets: readonly { user: string; deviceId: string }[],
  rule: AckRule,
): Promise<boolean[]> {
  const kinds = countedKinds(rule).map((kind) => ACK_CODES[kind])
  const isOneDevice = rule.scope === 'device'
  // Each target has three keys, which the primary key of push_drops finds. A condition with `or` in their place would
  // read all exclusions of the send for each target, and a join without the limit all of them once.
  const rows = await sql`
    with t as materialized (
      select * from unnest(
        ${targets.map(({ user }) => user)}::text[], ${targets.map(({ deviceId }) => deviceId)}::text[]
      ) with ordinality as given (user_id, device_id, index)
    ), keys as (
      select index, user_id, '' as device_id, ${!isOneDevice}::boolean as takes_acks from t
      union all select index, '', device_id, false from t
      union all select index, user_id, device_id, ${isOneDevice}::boolean from t
    )
    select distinct k.index
    from keys k cross join lateral (
      select from push_drops d
      where d.uid = ${uid} and d.user_id = k.user_id and d.device_id = k.device_id
        and (d.kind = ${CANCEL_CODE} or (k.takes_acks and d.kind = any(${kinds}::smallint[])))
      limit 1
    ) as excluded`
  const excluded = targets.map(() => false)
  for (const row of rows) excluded[Number(v.parse(Index, row).index) - 1] = true
  return excluded
}
