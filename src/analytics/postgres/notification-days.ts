// The tables of analytics have a partition for each day in UTC (schema/postgres/0011_notification_days.sql).
import { readDatabaseError } from '../../database/database-error.ts'
import type { Queryable, Sql } from '../../database/pool.ts'

const DAY_MS = 86_400_000
/** Partitions are made for this many days around today: clocks differ, and upkeep may fail for a day. */
const DAYS_AROUND = 2
/** check_violation: a row has no partition. */
const NO_PARTITION = '23514'

/** Makes the missing partitions of the days around today. */
export async function prepareDays(sql: Queryable): Promise<void> {
  await sql`
    select prepare_notification_days(today - ${DAYS_AROUND}::int, today + ${DAYS_AROUND}::int)
    from (select (clock_timestamp() at time zone 'UTC')::date as today)`
}

/**
 * Drops the partitions of days that ended more than `ttlMs` ago and the hours of these days, and forgets the batches
 * that were stored a day ago.
 */
export async function dropOldDays(sql: Sql, ttlMs: number): Promise<void> {
  const firstDay = sql`((clock_timestamp() at time zone 'UTC')::date - ${Math.ceil(ttlMs / DAY_MS)}::int)`
  await sql`delete from notification_batches where time < clock_timestamp() - interval '1 day'`
  await sql`delete from notification_hours where hour < ${firstDay}::timestamp at time zone 'UTC'`
  await sql`select drop_notification_days(${firstDay})`
}

/** Runs a statement that inserts rows, and again after making partitions if one was missing. */
export async function withDays<T>(sql: Sql, insert: () => Promise<T>): Promise<T> {
  try {
    return await insert()
  } catch (error) {
    if (readDatabaseError(error)?.code !== NO_PARTITION) throw error
    await prepareDays(sql)
    return await insert()
  }
}
