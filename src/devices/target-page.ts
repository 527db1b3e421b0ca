// What fan-out reads: ids and tokens of the devices that a send means.
import type { ProviderName } from '../config/provider-names.ts'
import type { Sql } from '../database/pool.ts'
import { decodeProvider } from './codes.ts'
import { type DeviceFilter, resolveFilter } from './device-filter.ts'
import { FIRST_UUID, formatDeviceId, parseDeviceId } from './device-id.ts'
import { walkDevices } from './device-walk.ts'

export interface Target {
  deviceId: string
  provider: ProviderName
  token: string
}

export interface TargetPage {
  targets: Target[]
  /** Where the next page starts; undefined when this is the last one. */
  next: string | undefined
}

/**
 * A page of the devices that match, in the order of their ids, each once.
 * @param after the id of the last device of the page before; undefined for the first page
 */
export async function pageTargets(
  sql: Sql,
  filter: DeviceFilter,
  after: string | undefined,
  limit: number,
): Promise<TargetPage> {
  const conditions = await resolveFilter(sql, filter)
  if (!conditions) return { targets: [], next: undefined }
  const afterUuid = after === undefined ? FIRST_UUID : parseDeviceId(after)?.uuid
  if (afterUuid === undefined) throw new Error('the cursor of a fan-out is not a device id')
  // Their types are those of the columns; checking each row of millions would cost more than reading it.
  const rows = await sql<{ id: string; provider: number; token: string }[]>`
    ${walkDevices(sql, sql`d.id, d.provider, d.token`, { conditions, afterUuid, limit })}`
  const targets = rows.map(({ id, provider: code, token }) => {
    const provider = decodeProvider(code)
    return { deviceId: formatDeviceId(id, provider), provider, token }
  })
  return { targets, next: targets.length < limit ? undefined : targets.at(-1)?.deviceId }
}
