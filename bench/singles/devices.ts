// The devices of the benchmark: users with two devices each, and a topic for broadcasts. PostgreSQL makes the rows.
import type { Sql } from '../../src/database/pool.ts'
import { encodePlatform, encodeProvider } from '../../src/devices/codes.ts'
import { loadSubscribers } from '../pipeline/subscribers.ts'
import { USERS } from './kinds.ts'

/** The topic of the broadcasts. */
export const TOPIC = 'everyone'
const DEVICES_OF_USER = 2

/** Loads the users, and `devices` subscribers of the topic. The tables exist and are empty. */
export async function loadDevices(sql: Sql, devices: number): Promise<void> {
  await sql`
    insert into devices (id, created_at, updated_at, registered_at, provider, platform, token, user_id)
    select gen_random_uuid(), now(), now(), now(), ${encodeProvider('fcm')}, ${encodePlatform('android')},
      rpad('user-' || n || ':APA91b', 163, 'x'), 'user:' || n / ${DEVICES_OF_USER}::int
    from generate_series(0, ${USERS * DEVICES_OF_USER - 1}::int) as n`
  await loadSubscribers(sql, TOPIC, 'fcm', devices, '')
}
