import type { Sql, Transaction } from '../../src/database/pool.ts'

/** How many transactions wait for a lock in this database. Test files beside this one have databases of their own. */
export async function countLockWaits(sql: Sql | Transaction): Promise<number> {
  const waiting = await sql`
    select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
  return waiting.length
}
