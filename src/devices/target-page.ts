// What fan-out reads: ids and tokens of the devices that a send means.
import * as v from 'valibot'
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
  // One text for the whole page: reading millions of rows one by one takes the driver longer than the server.
  const [row] = await sql`
    select string_agg(concat_ws(' ', page.id, page.provider, page.token), E'\n' order by page.id) as lines
    from (${walkDevices(sql, sql`d.id, d.provider, d.token`, { conditions, afterUuid, limit })}) as page`
  const targets = parseLines(v.parse(Lines, row).lines)
  return { targets, next: targets.length < limit ? undefined : targets.at(-1)?.deviceId }
}

const Lines = v.object({ lines: v.nullable(v.string()) })
const UUID_LENGTH = FIRST_UUID.length
/** After the uuid, a space, a code of one digit and a space. */
const TOKEN_START = UUID_LENGTH + 3

/** Tokens hold no control characters, so a line feed ends a target. */
function parseLines(lines: string | null): Target[] {
  if (lines === null) return []
  return lines.split('\n').map((line) => {
    const provider = decodeProvider(Number(line[UUID_LENGTH + 1]))
    return { deviceId: formatDeviceId(line.slice(0, UUID_LENGTH), provider), provider, token: line.slice(TOKEN_START) }
  })
}
