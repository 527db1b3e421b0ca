import { ConfigError } from '../../config/config-error.ts'
import type { Config } from '../../config/schema.ts'
import { joinEmbeddedPostgres } from '../../database/embedded.ts'
import { checkSchema, migrate } from '../../database/migrate.ts'
import { openDatabase } from '../../database/pool.ts'
import { DeviceStore } from '../../devices/device-store.ts'
import type { Logger } from '../../observability/log.ts'

/** An import has three batches under way; one more for what else there is to ask. */
const MAX_CONNECTIONS = 4

/**
 * Runs `work` on the devices of the configured database, or of the embedded one, a server's or for as long as that takes.
 * @throws ConfigError when there is no database
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
  const sql = openDatabase({ dsn, maxConnections: MAX_CONNECTIONS })
  try {
    await ((config.database?.postgresql.migrate ?? true) ? migrate(sql, logger) : checkSchema(sql))
    return await work(new DeviceStore({ sql, now: Date.now }))
  } finally {
    await sql.end({ timeout: 5 })
  }
}
