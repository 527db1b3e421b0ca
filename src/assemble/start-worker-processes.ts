import { AggregatorRegistry } from 'prom-client'
import type { Config } from '../config/schema.ts'
import type { Metrics } from '../observability/metrics.ts'
import { WorkerProcesses } from '../processes/worker-processes.ts'
import type { OnStop } from '../shutdown-phases.ts'
import { MAX_CONNECTIONS } from './open-databases.ts'
import type { Plan } from './plan.ts'
import type { OnStoreOutage } from './watch-stores.ts'

/**
 * Starts `count` worker processes for all sends, and one more for small sends.
 * @param dsn the DSN of the device database
 */
export function startWorkerProcesses(
  { config, logger }: Plan,
  dsn: string | undefined,
  count: number,
  { registry }: Metrics,
  onStoreOutage: OnStoreOutage,
  onStop: OnStop,
) {
  const processes = new WorkerProcesses({
    config: planChildProcess(config, dsn, shareConnections(config, count)),
    count,
    logger,
    onStoreOutage,
  })
  onStop.drain('worker processes', (graceMs) => processes.stop(graceMs))
  processes.start()
  return {
    /** False while no process for all sends runs, or while their queue refuses claims. */
    isReady: () => processes.isReady,
    /** The state of the providers for all processes. */
    readHealth: () => processes.readHealth(),
    /** The metrics of all processes, this one included, in Prometheus' text format. */
    readMetrics: async () =>
      AggregatorRegistry.aggregate([await registry.getMetricsAsJSON(), ...(await processes.readMetrics())]).metrics(),
  }
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
