import type { Fragment, Sql } from './pool.ts'

/**
 * An expression for a statement that is its own transaction: the commit returns before it is on disk. A crash of the
 * server loses the whole transaction if it was less than three times `wal_writer_delay` (0.2 s) ago
 * (https://www.postgresql.org/docs/current/wal-async-commit.html).
 */
export function commitAsynchronously(sql: Sql): Fragment {
  return sql`set_config('synchronous_commit', 'off', true)`
}
