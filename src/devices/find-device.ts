import * as v from 'valibot'
import type { Sql } from '../database/pool.ts'
import { encodeProvider } from './codes.ts'
import type { DeviceId } from './device-id.ts'

/** The user of a device, and the token that its pushes go to. */
export interface DeviceHolder {
  user: string
  token: string
}

const Row = v.object({ user_id: v.string(), token: v.string() })

/** The user and the token of a stored device; undefined if there is no such device. */
export async function selectHolder(sql: Sql, id: DeviceId): Promise<DeviceHolder | undefined> {
  const [row] = await sql`
    select user_id, token from devices where id = ${id.uuid} and provider = ${encodeProvider(id.provider)}`
  if (!row) return undefined
  const { user_id: user, token } = v.parse(Row, row)
  return { user, token }
}
