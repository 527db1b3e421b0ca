import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../../src/database/embedded.ts'
import { migrate } from '../../src/database/migrate.ts'
import { openDatabase, type Sql } from '../../src/database/pool.ts'
import type { Logger } from '../../src/observability/log.ts'
import { using } from './teardown.ts'

/** The database of a benchmark. */
export interface BenchDatabase {
  dsn: string
  /** A pool for devices. */
  sql: Sql
  /** A pool for a queue and limits. */
  queueSql: Sql
}

/**
 * Runs `work` on a new PostgreSQL with the embedded server's settings, and removes it afterwards.
 * @param keptDir the directory of a PostgreSQL that is made once, and kept with its data
 */
export function withDatabase<T>(
  logger: Logger,
  work: (database: BenchDatabase) => Promise<T>,
  keptDir?: string,
): Promise<T> {
  return using(startDatabase(logger, keptDir), async (database) => {
    await migrate(database.sql, logger)
    return await work(database)
  })
}

/** The same without tables, which the server under test makes. */
export function withEmptyDatabase<T>(logger: Logger, work: (database: BenchDatabase) => Promise<T>): Promise<T> {
  return using(startDatabase(logger), work)
}

async function startDatabase(logger: Logger, keptDir?: string) {
  const dataDir = keptDir ?? (await mkdtemp(join(tmpdir(), 'centripush-bench-')))
  await mkdir(dataDir, { recursive: true })
  await chmod(dataDir, 0o755)
  const server = await startEmbeddedPostgres({ dataDir, logger })
  const { dsn } = server
  const options = { dsn, maxConnections: 20, statementTimeoutMs: 0 }
  const sql = openDatabase(options)
  const queueSql = openDatabase({ ...options, plans: 'once' })
  const stop = async () => {
    await Promise.all([sql.end({ timeout: 5 }), queueSql.end({ timeout: 5 })])
    await server.stop()
    if (keptDir === undefined) await rm(dataDir, { recursive: true })
  }
  return { dsn, sql, queueSql, stop }
}
