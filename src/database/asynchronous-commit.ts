import type { Fragment, Sql } from './pool.ts'

/**
 * An SQL expression for a statement that is a transaction of its own: its commit returns before it is on disk. If
 * PostgreSQL crashes, it may lose whole transactions of the last three times `wal_writer_delay` (0.2 s)
 * (https://www.postgresql.org/docs/current/wal-async-commit.html).
 */
export function commitAsynchronously(sql: Sql): Fragment {
  return sql`set_config('synchronous_commit', 'off', true)`
}
