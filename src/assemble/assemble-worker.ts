// A separate file, so that a worker process does not load the code of the API.
import { makeMetrics } from '../observability/metrics.ts'
import type { ProviderHealth } from '../observability/provider-health.ts'
import { addOutageGauge } from '../observability/state-gauges.ts'
import type { Duty } from '../queue/lane.ts'
import { makeShutdownPhases } from '../shutdown-phases.ts'
import { buildParts } from './build-parts.ts'
import { makeWorkers } from './make-workers.ts'
import { openDatabases } from './open-databases.ts'
import type { Plan } from './plan.ts'
import { startAnalytics } from './start-analytics.ts'
import { makeLoggerOfStores, type OnStoreOutage } from './watch-stores.ts'

/** The running parts of a worker process. */
export interface WorkerAssembly {
  /** Whether the queue accepts claims. */
  isReady(): boolean
  /** The state of the providers for this process. */
  readHealth(): ProviderHealth
  /** The metrics of this process in the form of prom-client's `getMetricsAsJSON`. */
  readMetrics(): Promise<object[]>
  /** Finishes the batches in flight within `graceMs`, then closes all parts. Never rejects. */
  stop(graceMs: number): Promise<void>
}

/**
 * Builds and starts the parts of a worker process: no API, no upkeep, and no checks of the stores, because its parent
 * has them.
 * @param onStoreOutage takes the outages that its work meets
 * @param onLoad called for each second with a load
 * @throws ConfigError, UserError
 */
export async function assembleWorker(
  { config, logger }: Plan,
  duty: Duty,
  onStoreOutage: OnStoreOutage,
  onLoad: () => void,
): Promise<WorkerAssembly> {
  const { onStop, stop } = makeShutdownPhases(logger)
  const plan = { config, logger: makeLoggerOfStores({ config, logger }, onStoreOutage) }
  try {
    const metrics = makeMetrics()
    const databases = await openDatabases(plan, onStop)
    const parts = await buildParts(plan, databases, onStop)
    const { registry } = metrics
    const analytics = await startAnalytics(plan, databases, { registry, checksServers: false }, onStop)
    addOutageGauge(registry, () => parts.outages.list())
    const workers = makeWorkers({ plan, duty, metrics, recorder: analytics?.recorder, onLoad, ...parts })
    workers.start()
    onStop.drain('worker', workers.stop)
    return {
      isReady: workers.isReady,
      readHealth: parts.readHealth,
      readMetrics: () => metrics.registry.getMetricsAsJSON(),
      // The server has kept the time for closing.
      stop: (graceMs) => stop(graceMs, 0),
    }
  } catch (error) {
    await stop(0)
    throw error
  }
}
