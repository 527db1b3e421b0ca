import type { Fragment, Sql } from './pool.ts'

/**
 * A call for anywhere in a statement that is a transaction of its own: its commit is not waited for until it is on disk. A
 * server that crashes forgets it if that was less than three times `wal_writer_delay` (0.2 s) ago, and never a part of it
 * (https://www.postgresql.org/docs/current/wal-async-commit.html).
 */
export function commitAsynchronously(sql: Sql): Fragment {
  return sql`set_config('synchronous_commit', 'off', true)`
}
