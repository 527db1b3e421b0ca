import type { Sql } from '../../src/database/pool.ts'

/** Deletes all rows of the queue: faster than to truncate its tables for the few rows of a test, or a new database. */
export async function emptyQueue(sql: Sql): Promise<void> {
  const tables = await sql<{ name: string }[]>`
    select tablename as name from pg_tables where schemaname = 'public' and tablename like 'push\_%'`
  await sql.unsafe(tables.map(({ name }) => `delete from ${name}`).join(';'))
}
