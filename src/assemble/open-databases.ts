import { chooseQueue } from '../config/check.ts'
import { EXECUTION_TIMEOUT_MS } from '../database/answer-deadline.ts'
import { startEmbeddedPostgres } from '../database/embedded.ts'
import type { DatabaseOptions, Sql } from '../database/pool.ts'
import { startDatabase } from '../database/start-database.ts'
import type { Logger } from '../observability/log.ts'
import type { OnStop } from '../shutdown-phases.ts'
import { type Plan, storeWaitMs } from './plan.ts'

/** The default of the option database.postgresql.max_connections, for configurations without the section `database`. */
export const MAX_CONNECTIONS = 20

type OpenEmbedded = (options: {
  dataDir: string
  logger: Logger
  stopping: AbortSignal | undefined
}) => Promise<{ dsn: string; stop(): Promise<void> }>

/** The pools of database connections of this process. */
export interface Databases {
  /** The pool of the device database; undefined if `database.enabled` is false. */
  sql: Sql | undefined
  /** The DSN of the device database, configured or embedded; undefined without one. */
  dsn: string | undefined
  /**
   * The pool of the queue's database, which is the device database unless the queue has its own DSN; undefined for a
   * queue on Redis.
   */
  queueSql: Sql | undefined
  /** Its DSN. */
  queueDsn: string | undefined
}

/**
 * Opens the configured databases and prepares their schema.
 * @param openEmbedded opens the embedded database; called if no database is configured
 * @throws SchemaError, or UserError if a database can't be used
 */
export async function openDatabases(
  plan: Plan,
  onStop: OnStop,
  openEmbedded: OpenEmbedded = startEmbeddedPostgres,
): Promise<Databases> {
  const { config, logger, signal } = plan
  const { dsn: queueDsn, reuse_from_database: isReused } = config.push_notifications.queue.postgresql
  const migrates = config.database?.postgresql.migrate ?? true
  const maxConnections = config.database?.postgresql.max_connections ?? MAX_CONNECTIONS
  const waitMs = storeWaitMs(plan)
  const open = async (options: Pick<DatabaseOptions, 'dsn' | 'maxConnections' | 'plans'>): Promise<Sql> => {
    const option = options.dsn === queueDsn ? 'push_notifications.queue.postgresql.dsn' : 'database.postgresql.dsn'
    const statementTimeoutMs = EXECUTION_TIMEOUT_MS
    const sql = await startDatabase({ ...options, statementTimeoutMs, option, migrates, waitMs, logger, signal })
    onStop.close('database', () => sql.end({ timeout: 5 }))
    return sql
  }
  const dsn =
    config.database?.enabled === false ? undefined : await chooseDsn({ config, logger, signal }, onStop, openEmbedded)
  const queue = chooseQueue(config) === 'redis' ? undefined : ((isReused ? undefined : queueDsn) ?? dsn)
  // Devices and queue need different planner settings, so even in one database each has its own pool, with half of the
  // connections.
  const share = queue === dsn ? Math.ceil(maxConnections / 2) : maxConnections
  return {
    dsn,
    queueDsn: queue,
    sql: dsn === undefined ? undefined : await open({ dsn, maxConnections: share }),
    queueSql: queue === undefined ? undefined : await open({ dsn: queue, maxConnections: share, plans: 'once' }),
  }
}

async function chooseDsn(
  { config, logger, signal }: Plan,
  onStop: OnStop,
  openEmbedded: OpenEmbedded,
): Promise<string> {
  const dsn = config.database?.postgresql.dsn
  if (dsn !== undefined) return dsn
  const embedded = await openEmbedded({ dataDir: config.data_dir, logger, stopping: signal })
  onStop.close('embedded database', () => embedded.stop())
  return embedded.dsn
}
