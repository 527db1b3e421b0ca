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

const Stored = v.object({ full: v.nullable(v.array(v.string())), unknown: v.nullable(v.array(v.string())) })

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
  const { full, unknown } = await insertOfKnown(sql, exclusions, deadlineMs)
  // Acks rarely overtake their sends, so most groups are one statement.
  if (!unknown) return new Set(full)
  const left = new Set(unknown)
  await sql`
    insert into push_sends (uid, state, forget_at)
    select uid, ${PLACEHOLDER}, ${keptUntil(sql, KEEP_UNKNOWN_SECONDS)}
    from unnest(${[...left].sort()}::text[]) with ordinality as given (uid, place)
    order by place
    on conflict do nothing
    returning ${isInTime(sql, deadlineMs)}`
  const rest = exclusions.filter(({ uid }) => left.has(uid))
  const { full: alsoFull } = await insertOfKnown(sql, rest, deadlineMs)
  return new Set([...(full ?? []), ...(alsoFull ?? [])])
}

/** Stores the exclusions of sends that the table has. `unknown`: the uids that it does not have. */
async function insertOfKnown(sql: Sql, exclusions: readonly SendExclusion[], deadlineMs: number) {
  const uids = [...new Set(exclusions.map(({ uid }) => uid))].sort()
  const [row] = await sql`
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
    select
      (select array_agg(uid) from send where drops >= ${MAX_EXCLUSIONS}) as full,
      (
        select array_agg(given) from unnest(${uids}::text[]) as given
        where not exists (select from push_sends s where s.uid = given)
      ) as unknown`
  return v.parse(Stored, row)
}

function codeOf({ ack }: Exclusion): number {
  return ack === undefined ? CANCEL_CODE : ACK_CODES[ack]
}

/** The question which of the targets of a send are excluded. */
export interface ExcludedQuery {
  uid: string
  targets: readonly { user: string; deviceId: string }[]
  /** The acks that count. */
  rule: AckRule
}

const Index = v.object({ index: v.string() })

/** Finds for each target of each query whether its user, its device, or its device with its user is excluded. */
export async function selectExcluded(sql: Sql, queries: readonly ExcludedQuery[]): Promise<boolean[][]> {
  const asked = queries.flatMap(({ uid, targets, rule }, query) => {
    const kinds = { userKind: codeOfWeakest(rule, 'user'), deviceKind: codeOfWeakest(rule, 'device') }
    return targets.map(({ user, deviceId }, place) => ({ query, place, uid, user, deviceId, ...kinds }))
  })
  // Each target has three keys, which the primary key of push_drops finds. A condition with `or` in their place would
  // read all exclusions of the send for each target, and a join without the limit all of them once.
  const rows = await sql`
    with t as materialized (
      select * from unnest(
        ${asked.map(({ uid }) => uid)}::text[], ${asked.map(({ user }) => user)}::text[],
        ${asked.map(({ deviceId }) => deviceId)}::text[], ${asked.map(({ userKind }) => userKind)}::smallint[],
        ${asked.map(({ deviceKind }) => deviceKind)}::smallint[]
      ) with ordinality as given (uid, user_id, device_id, user_kind, device_kind, index)
    ), keys as (
      select index, uid, user_id, '' as device_id, user_kind as last_kind from t
      union all select index, uid, '', device_id, ${CANCEL_CODE}::smallint from t
      union all select index, uid, user_id, device_id, device_kind from t
    )
    select distinct k.index
    from keys k cross join lateral (
      select from push_drops d
      where d.uid = k.uid and d.user_id = k.user_id and d.device_id = k.device_id and d.kind <= k.last_kind
      limit 1
    ) as excluded`
  const answers = queries.map(({ targets }) => targets.map(() => false))
  for (const row of rows) {
    const { query = 0, place = 0 } = asked[Number(v.parse(Index, row).index) - 1] ?? {}
    answers[query]?.splice(place, 1, true)
  }
  return answers
}

/** The largest code of the exclusions that count for a user or a device: codes grow from strong acks to weak ones. */
function codeOfWeakest(rule: AckRule, scope: AckRule['scope']): number {
  return rule.scope === scope ? Math.max(...countedKinds(rule).map((kind) => ACK_CODES[kind])) : CANCEL_CODE
}
