import { readFile } from 'node:fs/promises'
import type { Sql } from '../../../src/database/pool.ts'

/** The tokens of the devices in devices.sql, in the order of the devices' ids. */
export interface StoredAudience {
  /** Subscribed to the topic `all`. */
  all: string[]
  /** Subscribed to the topic `few`. */
  few: string[]
}

/** Stores the devices that the sends of the fixtures address. */
export async function storeAudience(sql: Sql): Promise<StoredAudience> {
  await sql.unsafe(await readFile(new URL('devices.sql', import.meta.url), 'utf8'))
  return { all: await listTokens(sql, 'all'), few: await listTokens(sql, 'few') }
}

async function listTokens(sql: Sql, topic: string): Promise<string[]> {
  const rows = await sql<{ token: string }[]>`
    select d.token from devices d join device_topics on device_id = d.id join topics t on t.id = topic_id
    where t.name = ${topic} order by d.id`
  return rows.map(({ token }) => token)
}

/** Whether a token of these devices is one of FCM. */
export function isFcm(token: string): boolean {
  return token.startsWith('fcm-')
}

/** Targets of the claimed FCM batch of `lines` that its worker sent, by the stored progress. */
const FINISHED = 30

/** The tokens that the previous version did not send `lines` to. */
export function withoutFinished(tokens: readonly string[]): string[] {
  const finished = tokens.filter(isFcm).slice(0, FINISHED)
  return tokens.filter((token) => !finished.includes(token))
}
