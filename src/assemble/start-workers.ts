import type { Metrics } from '../observability/metrics.ts'
import { mergeHealth, type ProviderHealth } from '../observability/provider-health.ts'
import { addOutageGauge } from '../observability/state-gauges.ts'
import { WorkerScaling } from '../processes/worker-scaling.ts'
import type { Outages } from '../providers/outages.ts'
import { FULL_DUTY } from '../queue/lane.ts'
import type { OnStop } from '../shutdown-phases.ts'
import { makeWorkerProcesses } from './make-worker-processes.ts'
import { makeWorkers, type WorkerParts } from './make-workers.ts'
import type { Plan } from './plan.ts'
import type { OnStoreOutage } from './watch-stores.ts'

interface Options {
  /** The parts of this process. */
  parts: Omit<WorkerParts, 'duty' | 'onLoad'> & {
    outages: Outages
    metrics: Metrics
    readHealth(): ProviderHealth
  }
  /** The plan of the worker processes. */
  childPlan: Plan
  /** The number of processes for all sends; 1: this process. */
  count: number
  /** The DSN of the device database. */
  dsn: string | undefined
  onStoreOutage: OnStoreOutage
}

/** The workers of a server, in all of its processes. */
export interface AllWorkers {
  /** Whether the queue accepts their claims. */
  isReady(): boolean
  /** Resolves when they claim. */
  whenSending: Promise<unknown>
  /** The state of the providers for the processes that send. */
  readHealth(): ProviderHealth
  /** The metrics of all processes in the text format of Prometheus. */
  readMetrics(): Promise<string>
}

/**
 * Starts to send. A configured number of worker processes starts at once; by default this process sends, and starts
 * worker processes for a load unless the machine is small.
 */
export function startWorkers(options: Options, onStop: OnStop): AllWorkers {
  if (options.count === 1) return startHere(options, onStop)
  const isFixed = options.parts.plan.config.worker.processes !== undefined
  return isFixed ? startProcesses(options, onStop) : startScaling(options, onStop)
}

function startHere({ parts }: Options, onStop: OnStop): AllWorkers {
  const { outages, metrics, readHealth } = parts
  const workers = makeWorkers({ ...parts, duty: FULL_DUTY, onLoad: () => undefined })
  addOutageGauge(metrics.registry, () => outages.list())
  workers.start()
  onStop.drain('workers', workers.stop)
  const readMetrics = () => metrics.registry.metrics()
  return { isReady: workers.isReady, whenSending: Promise.resolve(), readHealth, readMetrics }
}

function startProcesses({ parts, childPlan, ...rest }: Options, onStop: OnStop): AllWorkers {
  const options = { ...rest, metrics: parts.metrics, onLoad: () => undefined, onExit: () => undefined }
  const { processes, readMetrics } = makeWorkerProcesses(childPlan, options)
  processes.start()
  onStop.drain('worker processes', (graceMs) => processes.stop(graceMs))
  const whenSending = processes.whenReady()
  const readHealth = () => mergeHealth([parts.readHealth(), processes.readHealth()])
  return { isReady: () => processes.isReady, whenSending, readHealth, readMetrics }
}

function startScaling({ parts, childPlan, ...rest }: Options, onStop: OnStop): AllWorkers {
  const { plan, outages, metrics } = parts
  const onLoad = () => scaling.onLoad()
  const onExit = () => scaling.onExit()
  const { processes, readMetrics } = makeWorkerProcesses(childPlan, { ...rest, metrics, onLoad, onExit })
  const scaling = new WorkerScaling({
    own: makeWorkers({ ...parts, duty: FULL_DUTY, onLoad }),
    processes,
    graceMs: plan.config.shutdown.timeout,
    logger: plan.logger,
  })
  // While worker processes send, this process does not notice the end of an outage.
  addOutageGauge(metrics.registry, () => (scaling.isAlone ? outages.list() : []))
  onStop.drain('workers', (graceMs) => scaling.stop(graceMs))
  const readHealth = () => (scaling.isAlone ? parts.readHealth() : processes.readHealth())
  return { isReady: () => scaling.isReady, whenSending: Promise.resolve(), readHealth, readMetrics }
}
