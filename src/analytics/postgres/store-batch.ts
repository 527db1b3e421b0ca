import { commitAsynchronously } from '../../database/asynchronous-commit.ts'
import type { Fragment, Sql } from '../../database/pool.ts'
import { withDays } from './notification-days.ts'
import type { RowBatch } from './row-batch.ts'

/** The process that stores a batch, and the number of the batch. */
export interface BatchKey {
  /** A UUID of this process. */
  writer: string
  /** Greater than that of the batch before. */
  batch: number
}

/**
 * Stores the rows and counts of a batch, all or none. It may be repeated until it resolves: a batch is stored once. Its
 * commit is asynchronous, so a crash of PostgreSQL may lose the batches of the last 0.6 s.
 */
export async function storeBatch(sql: Sql, { writer, batch }: BatchKey, rows: RowBatch): Promise<void> {
  const attempts = rows.attempts.join()
  const counts = rows.counts.join()
  const events = rows.events.join()
  await withDays(
    sql,
    () => sql`
      with turn as materialized (
        insert into notification_writers as w (id, batch, time) values (${writer}, ${batch}, clock_timestamp())
        on conflict (id) do update set batch = excluded.batch, time = excluded.time where w.batch < excluded.batch
        returning ${commitAsynchronously(sql)}
      ), event_rows as (
        insert into notifications (time, uid, provider, type, recipient, device_id, platform, user_id, msg_id, status,
          error_code, error_message)
        select ${toTime(sql, sql`c1`)}, ${texts(sql, 2, 12)}
        from ${splitColumns(sql, events)} where exists (select from turn)
      ), attempt_rows as (
        insert into notification_attempts (time, uid, provider, type, recipient, device_id, platform, user_id, attempt,
          error_code, error_message, latency_ms)
        select ${toTime(sql, sql`c1`)}, ${texts(sql, 2, 8)}, c9::int, ${texts(sql, 10, 11)}, c12::int
        from ${splitColumns(sql, attempts)} where exists (select from turn)
      ), counted (minute, provider, type, platform, status, error_code, count) as materialized (
        select ${toTime(sql, sql`c1`)}, ${texts(sql, 2, 6)}, c7::bigint
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
function texts(sql: Sql, first: number, last: number): Fragment {
  const columns = Array.from({ length: last - first + 1 }, (_, index) => `coalesce(c${first + index}, '')`)
  return sql`${sql.unsafe(columns.join(', '))}`
}

function toTime(sql: Sql, ms: Fragment): Fragment {
  return sql`to_timestamp(${ms}::float8 / 1000)`
}
