// The SQL of exclusions: users and devices for which a send is cancelled.
import * as v from 'valibot'
import { type CallDeadline, isInTime } from '../../database/call-deadline.ts'
import type { Sql } from '../../database/pool.ts'
import { KEEP_UNKNOWN_SECONDS, MAX_EXCLUSIONS } from '../limits.ts'
import type { Exclusion } from '../send.ts'
import { keptUntil } from './send-statements.ts'
import { CANCELLED, DONE, PLACEHOLDER } from './states.ts'

const Result = v.object({ is_full: v.boolean() })

/**
 * Stores an exclusion of a send. If the uid is unknown, the exclusion is kept for ten minutes in case the send arrives;
 * if the send has ended, nothing is stored.
 */
export async function insertExclusion(
  sql: Sql,
  uid: string,
  { user, deviceId }: Exclusion,
  deadline: CallDeadline,
): Promise<'excluded' | 'full'> {
  const deadlineMs = await deadline.toDatabaseTime()
  await sql`
    insert into push_sends (uid, state, forget_at)
    values (${uid}, ${PLACEHOLDER}, ${keptUntil(sql, KEEP_UNKNOWN_SECONDS)})
    on conflict do nothing
    returning ${isInTime(sql, deadlineMs)}`
  const [row] = await sql`
    with send as materialized (
      select uid, drops from push_sends where uid = ${uid} and state not in (${DONE}, ${CANCELLED}) for update
    ), stored as (
      insert into push_drops (uid, user_id, device_id)
      select uid, ${user}, ${deviceId} from send
      where drops < ${MAX_EXCLUSIONS} and ${isInTime(sql, deadlineMs)}
      on conflict do nothing
      returning uid
    ), counted as (
      update push_sends as s set drops = s.drops + 1 from stored where s.uid = stored.uid
    )
    select coalesce((select drops >= ${MAX_EXCLUSIONS} from send), false) as is_full`
  return v.parse(Result, row).is_full ? 'full' : 'excluded'
}

const Index = v.object({ index: v.string() })

/** Finds for each target whether its user, its device, or its device with its user is excluded. */
export async function selectExcluded(
  sql: Sql,
  uid: string,
  targets: readonly { user: string; deviceId: string }[],
): Promise<boolean[]> {
  const rows = await sql`
    select t.index
    from unnest(${targets.map(({ user }) => user)}::text[], ${targets.map(({ deviceId }) => deviceId)}::text[])
      with ordinality as t (user_id, device_id, index)
    where exists (
      select from push_drops d
      where d.uid = ${uid}
        and (d.user_id, d.device_id) in ((t.user_id, ''), ('', t.device_id), (t.user_id, t.device_id))
    )`
  const excluded = targets.map(() => false)
  for (const row of rows) excluded[Number(v.parse(Index, row).index) - 1] = true
  return excluded
}
