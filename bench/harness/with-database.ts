import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../../src/database/embedded.ts'
import { migrate } from '../../src/database/migrate.ts'
import { openDatabase, type Sql } from '../../src/database/pool.ts'
import type { Logger } from '../../src/observability/log.ts'
import { using } from './teardown.ts'

/** Runs `work` on a PostgreSQL as it comes with the server, which is removed afterwards. */
export function withDatabase<T>(logger: Logger, work: (sql: Sql, dsn: string) => Promise<T>): Promise<T> {
  return using(startDatabase(logger), async ({ sql, dsn }) => {
    await migrate(sql, logger)
    return await work(sql, dsn)
  })
}

async function startDatabase(logger: Logger) {
  const dataDir = await mkdtemp(join(tmpdir(), 'centripush-bench-'))
  await chmod(dataDir, 0o755)
  const server = await startEmbeddedPostgres({ dataDir, logger })
  const { dsn } = server
  const sql = openDatabase({ dsn, maxConnections: 20, statementTimeoutMs: 0 })
  const stop = async () => {
    await sql.end({ timeout: 5 })
    await server.stop()
    await rm(dataDir, { recursive: true })
  }
  return { sql, dsn, stop }
}
