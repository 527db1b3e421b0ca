import type { Config } from '../config/schema.ts'
import { WorkerProcesses } from '../processes/worker-processes.ts'
import { MAX_CONNECTIONS } from './open-databases.ts'
import type { Plan } from './plan.ts'
import type { OnStoreOutage } from './watch-stores.ts'

interface WorkerProcessOptions {
  /** The DSN of the device database. */
  dsn: string | undefined
  /** The number of processes for all sends. One more is for small sends. */
  count: number
  /** Called for each second in which a process has a load. */
  onLoad(): void
  /** Called when a process has ended unexpectedly. */
  onExit(): void
  onStoreOutage: OnStoreOutage
}

/** Makes the worker processes. None of them runs yet. */
export function makeWorkerProcesses({ config, logger }: Plan, options: WorkerProcessOptions): WorkerProcesses {
  const { dsn, count, onLoad, onExit, onStoreOutage } = options
  return new WorkerProcesses({
    config: planChildProcess(config, dsn, shareConnections(config, count)),
    count,
    logger,
    onLoad,
    onExit,
    onStoreOutage,
  })
}

/** The fewest connections of a worker process to PostgreSQL: it runs up to this many statements at once. */
const MIN_CONNECTIONS = 6

/**
 * The connections of each worker process, also of the one for small sends. The processes share the configured number
 * of connections, but each gets at least MIN_CONNECTIONS and one for LISTEN. From nine cores on, seven connections for
 * each process are more than PostgreSQL allows by default.
 */
function shareConnections({ database }: Config, count: number): number {
  return Math.max(MIN_CONNECTIONS, Math.ceil((database?.postgresql.max_connections ?? MAX_CONNECTIONS) / (count + 1)))
}

/** The configuration of a process that this server starts. @param dsn the database of the devices */
export function planChildProcess(config: Config, dsn: string | undefined, maxConnections: number): Config {
  const { database } = config
  return {
    ...config,
    database: {
      enabled: database?.enabled ?? true,
      // The server starts a process again if it can not connect.
      connect_timeout: 0,
      postgresql: {
        replica_dsn: [],
        ...database?.postgresql,
        ...(dsn !== undefined && { dsn }),
        max_connections: maxConnections,
        migrate: false,
      },
    },
  }
}
