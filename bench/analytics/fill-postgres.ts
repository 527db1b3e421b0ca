import type { Sql } from '../../src/database/pool.ts'
import { ATTEMPT_EVERY, DEVICES, FAILURE_EVERY, REPORT_EVERY, SECONDS, USERS } from './sample-rows.ts'

const CHUNK = 500_000

/** Fills the tables of analytics. The indexes are made afterwards, which takes a third of the time. */
export async function fillPostgres(sql: Sql, rows: number): Promise<void> {
  const indexes = await sql`
    select indexname as name, indexdef as definition from pg_indexes
    where tablename in ('notifications', 'notification_attempts')`
  for (const { name } of indexes) await sql`drop index ${sql(name)}`
  for (const { name } of await listPartitions(sql)) await sql`alter table ${sql(name)} set unlogged`
  for (let from = 0; from < rows; from += CHUNK) await fillChunk(sql, from, Math.min(from + CHUNK, rows) - 1, rows)
  // "only" would leave out the partitions.
  for (const { definition } of indexes) await sql.unsafe(String(definition).replace(' ON ONLY ', ' ON '))
  await sql`analyze notifications, notification_attempts`
}

/** The partitions. Without WAL they are filled in half of the time. */
async function listPartitions(sql: Sql) {
  return await sql`
    select inhrelid::regclass::text as name from pg_inherits
    where inhparent in ('notifications'::regclass, 'notification_attempts'::regclass)
      and exists (select from pg_class where oid = inhrelid and relkind = 'r')`
}

async function fillChunk(sql: Sql, from: number, to: number, rows: number): Promise<void> {
  const numbered = sql`
    select n, now() + interval '1 second' * (n * ${SECONDS / rows}::float8 - ${SECONDS}) as time,
      'send-' || n / ${DEVICES}::int as uid, '01H' || lpad((n % ${DEVICES}::int)::text, 23, '0') || '-fcm' as device_id,
      'user-' || n % ${DEVICES}::int % ${USERS}::int as user_id
    from generate_series(${from}::int, ${to}::int) as n`
  await sql`
    insert into notifications (time, uid, provider, type, device_id, platform, user_id, msg_id, status, error_code)
    select time, uid, 'fcm', 'token', device_id, 'android', user_id, n::text,
      case when n % ${FAILURE_EVERY}::int = 0 then 'failed' when n % ${REPORT_EVERY}::int = 7 then 'delivered' else 'sent' end,
      case when n % ${FAILURE_EVERY}::int = 0 then 'UNREGISTERED' else '' end
    from (${numbered}) as numbered`
  await sql`
    insert into notification_attempts (time, uid, provider, type, recipient, device_id, platform, user_id, attempt,
      error_code, error_message, latency_ms)
    select time, uid, 'fcm', 'token', '', device_id, 'android', user_id, 1, 'UNAVAILABLE', '', 120
    from (${numbered}) as numbered where n % ${ATTEMPT_EVERY}::int = 0`
}
