import { ConfigError } from '../../config/config-error.ts'
import type { Config } from '../../config/schema.ts'
import { CONNECT_TIMEOUT_MS } from '../../config/sections/database.ts'
import { joinEmbeddedPostgres } from '../../database/embedded.ts'
import { startDatabase } from '../../database/start-database.ts'
import { DeviceStore } from '../../devices/device-store.ts'
import type { Logger } from '../../observability/log.ts'
import { explainApiError } from '../explain-api-error.ts'

/**
 * The most connections of an import: it stores three batches at once, and one more connection is for other statements.
 */
const MAX_CONNECTIONS = 4

/**
 * Runs `work` with the devices in the configured database. If no database is configured, it uses the embedded one: that
 * of a running server, or else one that is started for the duration of `work`.
 * @throws ConfigError if database.enabled is false, UserError if the database can't be used
 */
export async function withDevices(
  { config, logger }: { config: Config; logger: Logger },
  work: (devices: DeviceStore) => Promise<number>,
): Promise<number> {
  if (config.database?.enabled === false) throw new ConfigError('database.enabled: is false, so there are no devices')
  const dsn = config.database?.postgresql.dsn
  const embedded = dsn === undefined ? await joinEmbeddedPostgres({ dataDir: config.data_dir, logger }) : undefined
  try {
    return await withPool(dsn ?? embedded?.dsn ?? '', { config, logger }, work)
  } finally {
    await embedded?.stop()
  }
}

async function withPool(
  dsn: string,
  { config, logger }: { config: Config; logger: Logger },
  work: (devices: DeviceStore) => Promise<number>,
): Promise<number> {
  const sql = await startDatabase({
    dsn,
    maxConnections: MAX_CONNECTIONS,
    option: 'database.postgresql.dsn',
    migrates: config.database?.postgresql.migrate ?? true,
    waitMs: config.database?.connect_timeout ?? CONNECT_TIMEOUT_MS,
    logger,
  })
  try {
    return await work(new DeviceStore({ sql, now: Date.now })).catch(explainApiError)
  } finally {
    await sql.end({ timeout: 5 })
  }
}
