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
  // One text for the whole page: reading millions of rows one by one takes the driver longer than the server. The
  // aggregate takes the lines as they come, in the order of the query in it.
  const [row] = await sql`
    select string_agg(page.id::text || page.provider::text || page.token, E'\n') as lines
    from (${walkDevices(sql, sql`d.id, d.provider, d.token`, { conditions, afterUuid, limit })}) as page`
  const targets = parseLines(v.parse(Lines, row).lines)
  return { targets, next: targets.length < limit ? undefined : targets.at(-1)?.deviceId }
}

const Lines = v.object({ lines: v.nullable(v.string()) })
/** A line is a uuid, the provider's code, which is one digit, and the token. */
const CODE_AT = FIRST_UUID.length
const TOKEN_AT = CODE_AT + 1

/** Tokens hold no control characters, so a line feed ends a target. */
function parseLines(lines: string | null): Target[] {
  if (lines === null) return []
  return lines.split('\n').map((line) => {
    const provider = decodeProvider(Number(line[CODE_AT]))
    return { deviceId: formatDeviceId(line.slice(0, CODE_AT), provider), provider, token: line.slice(TOKEN_AT) }
  })
}
