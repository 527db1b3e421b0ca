// Removes devices with a dead token: they are moved to the table removed_devices and kept there for a week.
// inactive-devices.ts moves inactive devices there too, and restore-devices.ts restores both.
import * as v from 'valibot'
import type { ProviderName } from '../../config/provider-names.ts'
import type { Sql, Transaction } from '../../database/pool.ts'
import { runTransaction } from '../../database/transaction.ts'
import { encodeProvider } from '../codes.ts'
import { unsubscribeFromAll } from '../device-topic-statements.ts'

/** A target that a provider has reported as having a dead token. */
export interface GoneDevice {
  /**
   * The uuid of the device. Empty for a target that is a raw token: then the device with this token is removed, if any.
   */
  deviceId: string
  token: string
  /** Since when the token is dead, as Unix time in ms; undefined if the provider does not report it. */
  sinceMs?: number | undefined
}

const KEPT_DAYS = 7
/** The most rows that one statement deletes, so that it holds its locks only for a short time. */
const CLEANUP_ROWS = 5000

const Locked = v.object({ id: v.string() })

/**
 * Removes devices that still have the dead token, unless they registered again after the token died (`sinceMs`) or, if
 * that time is unknown, after the push (`seenAtMs`). Resolves to the number of removed devices.
 * @param seenAtMs the Unix time in ms at which the pushes were handed to the provider
 * @param reason stored with the removed devices
 */
export async function removeGoneDevices(
  sql: Sql,
  provider: ProviderName,
  gone: readonly GoneDevice[],
  seenAtMs: number,
  reason: string,
): Promise<number> {
  if (gone.length === 0) return 0
  return await runTransaction(sql, async (tx) => {
    const uuids = await lockGone(tx, provider, gone, seenAtMs)
    if (uuids.length === 0) return 0
    await setAside(tx, uuids, reason)
    return uuids.length
  })
}

async function lockGone(tx: Transaction, provider: ProviderName, gone: readonly GoneDevice[], seenAtMs: number) {
  const uuids = gone.map(({ deviceId }) => (deviceId === '' ? null : deviceId))
  const tokens = gone.map(({ token }) => token)
  const sinces = gone.map(({ sinceMs }) => new Date(sinceMs ?? seenAtMs).toISOString())
  const rows = await tx`
    select d.id
    from unnest(${uuids}::uuid[], ${tokens}::text[], ${sinces}::timestamptz[]) as gone (id, token, since)
    join devices d on d.provider = ${encodeProvider(provider)} and token_digest(d.token) = token_digest(gone.token)
    where (gone.id is null or gone.id = d.id) and d.registered_at <= gone.since
    order by d.id
    for update of d`
  return [...new Set(rows.map((row) => v.parse(Locked, row).id))]
}

/** Moves devices to removed_devices. The caller has locked their rows. @param reason stored with the removed devices */
export async function setAside(tx: Transaction, uuids: readonly string[], reason: string): Promise<void> {
  await tx`
    insert into removed_devices (removed_at, provider, reason, device)
    select clock_timestamp(), d.provider, ${reason}, to_jsonb(d) || jsonb_build_object('topics', array(
      select topics.name from device_topics t join topics on topics.id = t.topic_id where t.device_id = d.id
    ))
    from devices d where d.id = any(${[...uuids]}::uuid[])`
  await unsubscribeFromAll(tx, uuids)
  await tx`delete from devices where id = any(${[...uuids]}::uuid[])`
}

/** Deletes the devices that have been in removed_devices for a week. The caller runs it periodically. */
export async function deleteOldRemovedDevices(sql: Sql): Promise<void> {
  let count: number
  do {
    const deleted = await sql`
      delete from removed_devices where ctid = any(array(
        select ctid from removed_devices where removed_at < clock_timestamp() - ${KEPT_DAYS} * interval '1 day'
        limit ${CLEANUP_ROWS} for update skip locked
      ))`
    count = deleted.count
  } while (count === CLEANUP_ROWS)
}
