// The SQL of targets that are left out of a send.
import * as v from 'valibot'
import type { Sql } from '../../database/pool.ts'
import type { Drop } from '../queue.ts'
import { ANNOUNCED, CANCELLED, DONE, KEEP_ANNOUNCED } from './states.ts'

/** Each is a row that claims look up: more means that the send should be cancelled as a whole. */
const MAX_DROPS = 100_000

const Result = v.object({ is_full: v.boolean() })

/** Remembers a drop, of an unknown send for ten minutes. Of one that has ended there is nothing to leave out. */
export async function insertDrop(sql: Sql, uid: string, { user, deviceId }: Drop): Promise<'dropped' | 'full'> {
  await sql`
    insert into push_sends (uid, state, forget_at)
    values (${uid}, ${ANNOUNCED}, clock_timestamp() + ${KEEP_ANNOUNCED}::interval)
    on conflict do nothing`
  const [row] = await sql`
    with send as materialized (
      select uid, drops from push_sends where uid = ${uid} and state not in (${DONE}, ${CANCELLED}) for update
    ), stored as (
      insert into push_drops (uid, user_id, device_id)
      select uid, ${user}, ${deviceId} from send where drops < ${MAX_DROPS}
      on conflict do nothing
      returning uid
    ), counted as (
      update push_sends as s set drops = s.drops + 1 from stored where s.uid = stored.uid
    )
    select coalesce((select drops >= ${MAX_DROPS} from send), false) as is_full`
  return v.parse(Result, row).is_full ? 'full' : 'dropped'
}

const Index = v.object({ index: v.string() })

/** For each target whether its user, its device, or it as both was dropped. */
export async function selectDropped(
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
  const dropped = targets.map(() => false)
  for (const row of rows) dropped[Number(v.parse(Index, row).index) - 1] = true
  return dropped
}
