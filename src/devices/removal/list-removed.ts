import * as v from 'valibot'
import type { ProviderName } from '../../config/provider-names.ts'
import type { Sql } from '../../database/pool.ts'
import { decodePlatform, decodeProvider, type PlatformName } from '../codes.ts'
import { formatDeviceId, parseDeviceId } from '../device-id.ts'

/** A device that was removed automatically in the last week. */
export interface RemovedDevice {
  id: string
  provider: ProviderName
  platform: PlatformName
  user: string
  /** Why it was removed: `inactive`, or the reason for which its token counts as dead. */
  reason: string
  /** Unix time in ms. */
  removedAtMs: number
}

const Row = v.object({
  id: v.string(),
  provider: v.pipe(v.number(), v.transform(decodeProvider)),
  platform: v.pipe(v.number(), v.transform(decodePlatform)),
  user_id: v.string(),
  reason: v.string(),
  removed_at: v.date(),
})

/** The most devices of a user that are listed. */
const MAX_DEVICES = 100

/**
 * The removed devices with this id, or of this user if the id is empty: each with its last removal, the latest first.
 * Without both it lists the latest removals.
 */
export async function listRemovedDevices(
  sql: Sql,
  { id, user }: { id: string; user: string },
): Promise<RemovedDevice[]> {
  const uuid = parseDeviceId(id)?.uuid
  const byUser = id === '' && user === '' ? sql`true` : sql`device ->> 'user_id' = ${user}`
  const matches = uuid === undefined ? byUser : sql`device ->> 'id' = ${uuid}`
  const rows = await sql`
    select device ->> 'id' as id, provider, (device ->> 'platform')::smallint as platform,
      device ->> 'user_id' as user_id, reason, removed_at
    from removed_devices where ${matches}
    order by removed_devices.removed_at desc limit ${MAX_DEVICES}`
  const devices = new Map<string, RemovedDevice>()
  for (const row of rows) {
    const { user_id, removed_at, ...device } = v.parse(Row, row)
    const removed = { ...device, id: formatDeviceId(device.id, device.provider), user: user_id }
    if (!devices.has(removed.id)) devices.set(removed.id, { ...removed, removedAtMs: removed_at.getTime() })
  }
  return [...devices.values()]
}
