import { chooseQueue } from '../config/check.ts'
import { startEmbeddedPostgres } from '../database/embedded.ts'
import { type DatabaseOptions, openDatabase, type Sql } from '../database/pool.ts'
import { prepareSchema } from '../database/prepare-schema.ts'
import type { Logger } from '../observability/log.ts'
import type { OnStop } from '../shutdown-phases.ts'
import type { Plan } from './plan.ts'

/** Of a database without a section of its own. */
export const MAX_CONNECTIONS = 20

type OpenEmbedded = (options: { dataDir: string; logger: Logger }) => Promise<{ dsn: string; stop(): Promise<void> }>

export interface Databases {
  /** The devices'; undefined where `database.enabled` is false. */
  sql: Sql | undefined
  dsn: string | undefined
  /** The queue's, in the same database unless it has a DSN; undefined where it is on Redis. */
  queueSql: Sql | undefined
}

/**
 * Opens what the configuration names, its schema up to date. `openEmbedded` provides what it leaves out.
 * @throws ConfigError, and what a database that isn't there throws
 */
export async function openDatabases(
  { config, logger }: Plan,
  onStop: OnStop,
  openEmbedded: OpenEmbedded = startEmbeddedPostgres,
): Promise<Databases> {
  const { dsn: queueDsn, reuse_from_database: isReused } = config.push_notifications.queue.postgresql
  const migrates = config.database?.postgresql.migrate ?? true
  const maxConnections = config.database?.postgresql.max_connections ?? MAX_CONNECTIONS
  const open = async (options: Pick<DatabaseOptions, 'dsn' | 'maxConnections' | 'plans'>): Promise<Sql> => {
    const sql = openDatabase(options)
    onStop.close('database', () => sql.end({ timeout: 5 }))
    await prepareSchema(sql, logger, migrates)
    return sql
  }
  const dsn = config.database?.enabled === false ? undefined : await chooseDsn({ config, logger }, onStop, openEmbedded)
  const queue = chooseQueue(config) === 'redis' ? undefined : ((isReused ? undefined : queueDsn) ?? dsn)
  // Devices and queue want their statements planned differently: in one database each gets half of the connections.
  const share = queue === dsn ? Math.ceil(maxConnections / 2) : maxConnections
  return {
    dsn,
    sql: dsn === undefined ? undefined : await open({ dsn, maxConnections: share }),
    queueSql: queue === undefined ? undefined : await open({ dsn: queue, maxConnections: share, plans: 'once' }),
  }
}

async function chooseDsn({ config, logger }: Plan, onStop: OnStop, openEmbedded: OpenEmbedded): Promise<string> {
  const dsn = config.database?.postgresql.dsn
  if (dsn !== undefined) return dsn
  const embedded = await openEmbedded({ dataDir: config.data_dir, logger })
  onStop.close('embedded database', () => embedded.stop())
  return embedded.dsn
}
