import type { Sql } from '../../src/database/pool.ts'
import { fillPostgres } from '../analytics/fill-postgres.ts'
import { loadDevices } from '../devices/device-data.ts'

/** Fills an empty database with devices, events and their counts. A kept one is full. */
export async function fillDatabase(sql: Sql, devices: number, rows: number): Promise<void> {
  const [found] =
    await sql`select exists (select from devices) as devices, exists (select from notifications) as events`
  if (!found?.devices) await loadDevices(sql, devices)
  if (!found?.events) await fillPostgres(sql, rows)
  await fillCounts(sql)
  await sql`vacuum analyze`
}

/** Counts of a week, as broadcasts and small sends leave them. */
async function fillCounts(sql: Sql): Promise<void> {
  await sql`
    insert into notification_counts (minute, provider, type, platform, status, error_code, count)
    select minute, provider, 'token', platform, status, case when status = 'failed' then 'UNREGISTERED' else '' end, 100
    from generate_series(date_trunc('minute', now()) - interval '7 days', now(), '1 minute') as minute,
      unnest(array['fcm', 'apns']) as provider, unnest(array['ios', 'android', 'web']) as platform,
      unnest(array['sent', 'failed', 'dropped']) as status
    on conflict do nothing`
  await sql`
    insert into notification_hours (hour, provider, type, platform, status, error_code, count)
    select date_bin('1 hour', minute, to_timestamp(0)), provider, type, platform, status, error_code, sum(count)
    from notification_counts group by 1, 2, 3, 4, 5, 6
    on conflict (hour, provider, type, platform, status, error_code) do update set count = excluded.count`
}
