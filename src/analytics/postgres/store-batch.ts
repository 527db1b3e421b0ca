import { commitAsynchronously } from '../../database/asynchronous-commit.ts'
import type { Fragment, Sql } from '../../database/pool.ts'
import type { BatchTexts } from './batch-texts.ts'
import { withDays } from './notification-days.ts'

/** The tokens of batches, which are UUIDs. */
export interface BatchTokens {
  /** The token of the batch. */
  token: string
  /** The tokens of batches that are not stored again. */
  forgotten: readonly string[]
}

/**
 * Stores the rows and counts of a batch, all or none. It may be repeated until it resolves: a batch is stored once. Its
 * commit is asynchronous, so a crash of PostgreSQL may lose the batches of the last 0.6 s.
 */
export async function storeBatch(sql: Sql, { token, forgotten }: BatchTokens, texts: BatchTexts): Promise<void> {
  const { events, attempts, counts } = texts
  await withDays(
    sql,
    () => sql`
      with turn as materialized (
        insert into notification_batches (token, time) values (${token}, clock_timestamp())
        on conflict do nothing
        returning ${commitAsynchronously(sql)}
      ), forgotten as (
        delete from notification_batches where token = any(${[...forgotten]}::uuid[])
      ), event_rows as (
        insert into notifications (time, uid, provider, type, recipient, device_id, platform, user_id, msg_id, status,
          error_code, error_message)
        select ${toTime(sql, sql`c1`)}, ${textColumns(sql, 2, 12)}
        from ${splitColumns(sql, events)} where exists (select from turn)
      ), attempt_rows as (
        insert into notification_attempts (time, uid, provider, type, recipient, device_id, platform, user_id, attempt,
          error_code, error_message, latency_ms)
        select ${toTime(sql, sql`c1`)}, ${textColumns(sql, 2, 8)}, c9::int, ${textColumns(sql, 10, 11)}, c12::int
        from ${splitColumns(sql, attempts)} where exists (select from turn)
      ), counted (minute, provider, type, platform, status, error_code, count) as materialized (
        select ${toTime(sql, sql`c1`)}, ${textColumns(sql, 2, 6)}, c7::bigint
        from ${splitColumns(sql, counts)} where exists (select from turn)
      ), hour_rows as (
        insert into notification_hours as h (hour, provider, type, platform, status, error_code, count)
        select date_bin('1 hour', minute, to_timestamp(0)), provider, type, platform, status, error_code, sum(count)
        from counted
        group by 1, 2, 3, 4, 5, 6
        order by 1, 2, 3, 4, 5, 6
        on conflict (hour, provider, type, platform, status, error_code)
          do update set count = h.count + excluded.count
      )
      insert into notification_counts as n (minute, provider, type, platform, status, error_code, count)
      select * from counted
      order by 1, 2, 3, 4, 5, 6
      on conflict (minute, provider, type, platform, status, error_code)
        do update set count = n.count + excluded.count`,
  )
}

/** A table with the columns c1, c2… that splits each text at its line feeds. An empty text has no line. */
function splitColumns(sql: Sql, texts: readonly string[]): Fragment {
  const calls = texts.map((text) => sql`string_to_table(${text}::text, E'\n')`)
  const names = texts.map((_, index) => `c${index + 1}`).join(', ')
  const list = calls.reduce((before, call) => sql`${before}, ${call}`)
  return sql`rows from (${list}) as r (${sql.unsafe(names)})`
}

/** The columns from c`first` to c`last`. The last row of a column of empty texts is null. */
function textColumns(sql: Sql, first: number, last: number): Fragment {
  const columns = Array.from({ length: last - first + 1 }, (_, index) => `coalesce(c${first + index}, '')`)
  return sql`${sql.unsafe(columns.join(', '))}`
}

function toTime(sql: Sql, ms: Fragment): Fragment {
  return sql`to_timestamp(${ms}::float8 / 1000)`
}
