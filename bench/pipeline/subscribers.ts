// Topics with devices of one provider; PostgreSQL makes the rows.
import { createECDH, randomBytes } from 'node:crypto'
import type { ProviderName } from '../../src/config/provider-names.ts'
import type { Fragment, Sql } from '../../src/database/pool.ts'
import { encodePlatform, encodeProvider, type PlatformName } from '../../src/devices/codes.ts'
import { toEndpointOrigin, WEBPUSH_PATH } from './push-service.ts'

const CHUNK = 50_000
/** The number of browser keys, which devices share. Each message still has its own key pair. */
const BROWSER_KEYS = 256
const PLATFORMS: Record<ProviderName, PlatformName> = { fcm: 'android', hms: 'android', apns: 'ios', webpush: 'web' }
/** Device ids start with a time; each topic's devices sort after those of the previous topic. */
const FIRST_ID_MS = 1_700_000_000_000
const TOPIC_STEP_MS = 10_000_000_000

/** Subscribes `count` new devices to `topic`; `origin` is that of Web Push endpoints. */
export async function loadSubscribers(
  sql: Sql,
  topic: string,
  provider: ProviderName,
  count: number,
  origin: string,
): Promise<void> {
  const [row] = await sql`insert into topics (name) values (${topic}) returning id`
  const topicId = Number(row?.id)
  const keys = provider === 'webpush' ? makeBrowserKeys() : []
  for (let from = 0; from < count; from += CHUNK) {
    const firstMs = FIRST_ID_MS + topicId * TOPIC_STEP_MS + from
    const rows = sql`
      select n, (lpad(to_hex(${firstMs}::bigint + n), 12, '0') || substr(md5('id' || n), 1, 20))::uuid as id
      from generate_series(0, ${Math.min(CHUNK, count - from) - 1}::int) as n`
    await sql`
      with numbered as materialized (${rows}), stored as (
        insert into devices (
          id, created_at, updated_at, registered_at, provider, platform, token, webpush_keys, user_id
        )
        select id, now, now, now, ${encodeProvider(provider)}, ${encodePlatform(PLATFORMS[provider])},
          ${tokenOf(sql, provider, origin)},
          case when ${keys.length > 0} then (${keys}::text[])[1 + n % ${BROWSER_KEYS}] end,
          'user:' || lpad((${from}::int + n)::text, 15, '0')
        from numbered, clock_timestamp() as now
        order by id
      )
      insert into device_topics (device_id, topic_id) select id, ${topicId}::int from numbered`
  }
  await sql`vacuum analyze devices, device_topics`
}

/** Subscribes the first `count` devices of a topic to another one. */
export async function copySubscribers(sql: Sql, topic: string, to: string, count: number): Promise<void> {
  const [row] = await sql`insert into topics (name) values (${to}) returning id`
  await sql`
    insert into device_topics (device_id, topic_id)
    select device_id, ${Number(row?.id)}::int from device_topics
    where topic_id = (select id from topics where name = ${topic})
    order by device_id limit ${count}`
  await sql`vacuum analyze device_topics`
}

/** Tokens of the provider's length: 163 characters for FCM, 64 hexadecimal digits for APNs. */
function tokenOf(sql: Sql, provider: ProviderName, origin: string): Fragment {
  const digits = (count: number) =>
    sql`substr(
      md5('a' || id) || md5('b' || id) || md5('c' || id) || md5('d' || id) || md5('e' || id), 1, ${count}::int)`
  switch (provider) {
    case 'fcm':
      return sql`substr(md5('f' || id), 1, 22) || ':APA91b' || ${digits(134)}`
    case 'hms':
      return sql`${digits(130)}`
    case 'apns':
      return sql`${digits(64)}`
    case 'webpush':
      return sql`${`${toEndpointOrigin(origin)}/${WEBPUSH_PATH}?`}::text || ${digits(150)}`
  }
}

function makeBrowserKeys(): string[] {
  return Array.from({ length: BROWSER_KEYS }, () => {
    const p256dh = createECDH('prime256v1').generateKeys().toString('base64url')
    return JSON.stringify({ p256dh, auth: randomBytes(16).toString('base64url') })
  })
}
