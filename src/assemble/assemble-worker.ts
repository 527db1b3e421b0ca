// A file of its own: a process that only sends loads nothing of the API.
import { makeMetrics } from '../observability/metrics.ts'
import type { Duty } from '../queue/queue.ts'
import { makeShutdownPhases } from '../shutdown-phases.ts'
import { buildParts } from './build-parts.ts'
import { openDatabases } from './open-databases.ts'
import type { Plan } from './plan.ts'
import { startWorkers } from './start-workers.ts'

export interface WorkerAssembly {
  /** Whether it reaches its queue. */
  isReady(): boolean
  /** As prom-client's `getMetricsAsJSON` has them. */
  readMetrics(): Promise<object[]>
  /** Lets what it sends finish within `graceMs`. Never rejects. */
  stop(graceMs: number): Promise<void>
}

/** What a worker process is made of: no API, no upkeep. @throws as assemble() does */
export async function assembleWorker(plan: Plan, duty: Duty): Promise<WorkerAssembly> {
  const { onStop, stop } = makeShutdownPhases(plan.logger)
  try {
    const metrics = makeMetrics()
    const parts = await buildParts(plan, await openDatabases(plan, onStop), metrics, onStop)
    const isReady = startWorkers({ plan, duty, metrics, ...parts }, onStop)
    return { isReady, readMetrics: () => metrics.registry.getMetricsAsJSON(), stop }
  } catch (error) {
    await stop(0)
    throw error
  }
}
