import { AggregatorRegistry } from 'prom-client'
import type { Config } from '../config/schema.ts'
import type { Metrics } from '../observability/metrics.ts'
import { WorkerProcesses } from '../processes/worker-processes.ts'
import type { OnStop } from '../shutdown-phases.ts'
import { MAX_CONNECTIONS } from './open-databases.ts'
import type { Plan } from './plan.ts'

/** Workers in `count` processes of their own, and one more for small sends. @param dsn the database that all of them use */
export function startWorkerProcesses(
  { config, logger }: Plan,
  dsn: string | undefined,
  count: number,
  { registry }: Metrics,
  onStop: OnStop,
) {
  const processes = new WorkerProcesses({ config: planWorkerProcess(config, dsn, count), count, logger })
  onStop.drain('worker processes', (graceMs) => processes.stop(graceMs))
  processes.start()
  return {
    /** False while they can't reach their queue. */
    isReady: () => processes.isReady,
    /** In Prometheus' text format, theirs and this process's together. */
    readMetrics: async () =>
      AggregatorRegistry.aggregate([await registry.getMetricsAsJSON(), ...(await processes.readMetrics())]).metrics(),
  }
}

/** Connections of a worker process that has few of them: what it does at once, with devices and with the queue. */
const MIN_CONNECTIONS = 6

/**
 * The configuration of one of `count` worker processes and the one for small sends. They share the connections that one
 * would open, but each has MIN_CONNECTIONS; with LISTEN that is seven, and at nine cores more than PostgreSQL allows by default.
 */
function planWorkerProcess(config: Config, dsn: string | undefined, count: number): Config {
  const { database } = config
  const postgresql = database?.postgresql
  const max_connections = Math.max(
    MIN_CONNECTIONS,
    Math.ceil((postgresql?.max_connections ?? MAX_CONNECTIONS) / (count + 1)),
  )
  return {
    ...config,
    database: {
      enabled: database?.enabled ?? true,
      postgresql: {
        replica_dsn: [],
        ...postgresql,
        ...(dsn !== undefined && { dsn }),
        max_connections,
        migrate: false,
      },
    },
  }
}
