import { ConfigError } from '../config/config-error.ts'
import { migrate } from '../database/migrate.ts'
import { openDatabase } from '../database/pool.ts'
import { makeLogger } from '../observability/log.ts'
import { readServerOptions } from './options.ts'

const HELP = `centripush migrate [--config FILE]

Brings the schema of database.postgresql.dsn up to date. The server does the same at its start unless
database.postgresql.migrate is false. Safe to run while other processes do.
`

/** `centripush migrate`. @throws ConfigError, or the error of the database */
export async function runMigrate(argv: string[]): Promise<void> {
  const options = readServerOptions(argv, HELP)
  if (!options) return
  const dsn = options.config.database?.postgresql.dsn
  if (dsn === undefined) {
    throw new ConfigError('database.postgresql.dsn: is needed; the embedded database is migrated by each start')
  }
  const logger = makeLogger(options.config.log)
  const sql = openDatabase({ dsn, maxConnections: 1 })
  try {
    await migrate(sql, logger)
  } finally {
    await sql.end()
  }
}
