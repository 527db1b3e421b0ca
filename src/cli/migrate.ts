import { ConfigError } from '../config/config-error.ts'
import { startDatabase } from '../database/start-database.ts'
import { makeLogger } from '../observability/log.ts'
import { readServerOptions } from './options.ts'

const HELP = `centripush migrate [--config FILE]

Brings the schema of database.postgresql.dsn up to date. The server does the same at its start unless
database.postgresql.migrate is false. Several processes may migrate at the same time.

  --config FILE   names the database

For example: centripush migrate --config centripush.yaml

Exits with 0, with 2 when the command line or the configuration is wrong, and with 1 after any other failure.
`

/**
 * The command `centripush migrate`.
 * @throws ConfigError without a DSN, SchemaError, UserError if the database can't be used
 */
export async function runMigrate(argv: string[]): Promise<void> {
  const options = readServerOptions(argv, HELP)
  if (!options) return
  const dsn = options.config.database?.postgresql.dsn
  if (dsn === undefined) {
    throw new ConfigError('database.postgresql.dsn: is needed; the embedded database is migrated at each start')
  }
  const logger = makeLogger(options.config.log)
  const waitMs = options.config.database?.connect_timeout ?? 0
  const option = 'database.postgresql.dsn'
  const sql = await startDatabase({ dsn, maxConnections: 1, option, migrates: true, waitMs, logger })
  await sql.end()
}
