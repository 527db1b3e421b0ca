import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../src/database/embedded.ts'
import { migrate } from '../src/database/migrate.ts'
import { openDatabase, type Sql } from '../src/database/pool.ts'
import type { Logger } from '../src/observability/log.ts'

/** Runs `work` on a PostgreSQL as it comes with the server, which is removed afterwards. */
export async function withDatabase<T>(logger: Logger, work: (sql: Sql, dsn: string) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'centripush-bench-'))
  await chmod(dataDir, 0o755)
  const server = await startEmbeddedPostgres({ dataDir, logger })
  const sql = openDatabase({ dsn: server.dsn, maxConnections: 20, statementTimeoutMs: 0 })
  try {
    await migrate(sql, logger)
    return await work(sql, server.dsn)
  } finally {
    await sql.end()
    await server.stop()
    await rm(dataDir, { recursive: true })
  }
}
