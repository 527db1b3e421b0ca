import type { ProviderName } from '../../../src/config/provider-names.ts'
import type { Sql } from '../../../src/database/pool.ts'

export const PROVIDERS: readonly ProviderName[] = ['fcm', 'apns']

/** Devices that follow a topic: the same number per zone, and some without a zone. Their tokens are numbers from 1. */
export interface Audience {
  sql: Sql
  topic: string
  count: number
  zones: readonly string[]
}

/** Some differ by less than an hour, some by 26 hours, and only some have daylight saving time. */
export const ZONES: readonly string[] = [
  'Pacific/Pago_Pago',
  'Pacific/Honolulu',
  'Pacific/Marquesas',
  'America/Anchorage',
  'America/Los_Angeles',
  'America/Phoenix',
  'America/Denver',
  'America/Chicago',
  'America/Mexico_City',
  'America/New_York',
  'America/Lima',
  'America/Halifax',
  'America/Caracas',
  'America/St_Johns',
  'America/Sao_Paulo',
  'America/Noronha',
  'Atlantic/Azores',
  'UTC',
  'Europe/London',
  'Africa/Lagos',
  'Europe/Berlin',
  'Africa/Cairo',
  'Europe/Kyiv',
  'Europe/Istanbul',
  'Asia/Tehran',
  'Asia/Dubai',
  'Asia/Kabul',
  'Asia/Karachi',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Asia/Dhaka',
  'Asia/Yangon',
  'Asia/Bangkok',
  'Asia/Shanghai',
  'Australia/Eucla',
  'Asia/Tokyo',
  'Australia/Darwin',
  'Australia/Sydney',
  'Pacific/Auckland',
  'Pacific/Kiritimati',
]

/** One device in this many has no zone. */
const WITHOUT_ZONE_EVERY = 101

/** Stores `count` devices in `zones` by SQL, because 100,000 registrations would take too long. */
export async function storeAudience(sql: Sql, count: number, zones: readonly string[] = ZONES): Promise<Audience> {
  const topic = 'local-time'
  await sql`insert into topics (name) values (${topic})`
  await sql`
    with added as (
      insert into devices (id, created_at, updated_at, registered_at, provider, platform, token, user_id, timezone)
      select gen_random_uuid(), now(), now(), now(), case when n % 4 = 0 then 3 else 1 end, 2, n::text, 'u' || n,
        case when n % ${WITHOUT_ZONE_EVERY} = 0 then '' else (${[...zones]}::text[])[1 + n % ${zones.length}::int] end
      from generate_series(1, ${count}::int) as n
      returning id
    )
    insert into device_topics (topic_id, device_id) select t.id, a.id from topics t, added a where t.name = ${topic}`
  await sql`analyze devices, device_topics`
  return { sql, topic, count, zones }
}

/** The zone of the device with this number; undefined for a device without one. */
export function zoneOf({ zones }: Pick<Audience, 'zones'>, device: number): string | undefined {
  return device % WITHOUT_ZONE_EVERY === 0 ? undefined : zones[device % zones.length]
}

/** The number of devices without a zone. */
export function countWithoutZone({ count }: Audience): number {
  return Math.floor(count / WITHOUT_ZONE_EVERY)
}
