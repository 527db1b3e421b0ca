// A million devices like those of an app with a long history; PostgreSQL makes the rows.
import type { Sql } from '../../src/database/pool.ts'

/** The numbers of stored rows. */
export interface Load {
  devices: number
  /** Rows of device_topics. */
  subscriptions: number
}

/** Topics of 12 bytes. Each device has three: the one of all devices, one of five and one of ten thousand. */
export const TOPICS = { all: 'topic:000000', fifth: 'topic:000003', rare: 'topic:000777', otherRare: 'topic:004242' }
/** Users of 20 bytes; the first one has 15 % of the devices. */
export const USERS = { shared: 'user:000000000000000', one: 'user:000000000000777', other: 'user:000000000004242' }

const CHUNK = 50_000
const FIRST_TOPIC_OF_FIVE = 1
const FIRST_RARE_TOPIC = 6
const RARE_TOPICS = 10_000
const RARE_PROVIDER_EVERY = 2000

/**
 * Fills empty tables through their indexes, in the order of ids, as registrations do. Providers: 75 % fcm, 25 % apns,
 * one device in two thousand hms, no webpush. Platforms: 60 % android, 25 % ios, 15 % web; the web devices are all in
 * the newer half.
 */
export async function loadDevices(sql: Sql, devices: number): Promise<Load> {
  await sql`
    insert into topics (id, name) overriding system value
    select n, 'topic:' || lpad(n::text, 6, '0') from generate_series(1, ${FIRST_RARE_TOPIC + RARE_TOPICS - 1}) as n`
  await sql`insert into topics (id, name) overriding system value values (20000, ${TOPICS.all})`
  await sql`select setval(pg_get_serial_sequence('topics', 'id'), 20000)`
  for (let from = 0; from < devices; from += CHUNK) {
    await loadChunk(sql, from, Math.min(from + CHUNK, devices) - 1, devices / 2)
  }
  await sql`vacuum analyze`
  const [row] = await sql`select count(*)::int as count from device_topics`
  return { devices, subscriptions: row?.count }
}

/** Derives the random values from the device's number, so that each run has the same rows. */
async function loadChunk(sql: Sql, from: number, to: number, late: number): Promise<void> {
  await sql`
    with numbered as materialized (
      select n, hashtext('device' || n) & 1073741823 as random,
        (lpad(to_hex(1700000000000 + n * 7), 12, '0') || substr(md5('id' || n), 1, 20))::uuid as id
      from generate_series(${from}::bigint, ${to}) as n
    ), stored as (
      insert into devices (id, created_at, updated_at, registered_at, provider, platform, token, user_id)
      select id, now, now, now, provider,
        case when provider = 3 then 1 when n >= ${late} and random % 100 < 40 then 3 else 2 end,
        substr(md5('a' || n), 1, 22) || ':APA91b'
          || substr(md5('b' || n) || md5('c' || n) || md5('d' || n) || md5('e' || n) || md5('f' || n), 1, 134),
        'user:' || lpad((case when random % 20 < 3 then 0 else 1 + random % 900000 end)::text, 15, '0')
      from numbered, clock_timestamp() as now,
        lateral (
          select case when n % ${RARE_PROVIDER_EVERY} = 1 then 2 when random % 4 = 0 then 3 else 1 end
        ) as _ (provider)
      order by id
    )
    insert into device_topics (device_id, topic_id)
    select id, topic_id from numbered, unnest(array[
      20000, ${FIRST_TOPIC_OF_FIVE} + (random / 7) % 5, ${FIRST_RARE_TOPIC} + (random / 11) % ${RARE_TOPICS}
    ]) as topic_id`
}
