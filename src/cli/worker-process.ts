import * as v from 'valibot'
import { assembleWorker, type WorkerAssembly } from '../assemble/assemble-worker.ts'
import type { Config } from '../config/schema.ts'
import { UserError } from '../config/user-error.ts'
import { captureOutput } from '../observability/capture-output.ts'
import { type Logger, makeLogger } from '../observability/log.ts'
import type { ProviderHealth } from '../observability/provider-health.ts'
import { LAST_METRICS, Order, type Report } from '../processes/messages.ts'
import type { Duty } from '../queue/lane.ts'
import { CommandLineError } from './command-line-error.ts'
import { exitSoon } from './exit-soon.ts'

const READY_INTERVAL_MS = 250

/**
 * The command `centripush worker-process`: one of the processes that a server starts for sending. It follows the orders
 * of its parent process, which arrive on Node's channel between the two. Resolves to the exit code.
 * @throws CommandLineError if a user starts it
 */
export async function runWorkerProcess(): Promise<number> {
  if (!process.send)
    throw new CommandLineError('only the server starts this command; use centripush serve --role worker')
  const { config, duty, stopped, onReadMetrics } = await hearOrders()
  const logger = makeLogger(config.log)
  captureOutput(logger)
  const worker = await startWorker(config, duty, logger)
  if (!worker) return 1
  onReadMetrics(worker.readMetrics)
  const stopReporting = reportReadiness(worker.isReady)
  const stopReportingHealth = reportHealth(worker.readHealth)
  await worker.stop((await stopped) ?? config.shutdown.timeout)
  stopReporting()
  stopReportingHealth()
  await report({ kind: 'metrics', id: LAST_METRICS, metrics: await worker.readMetrics() })
  // The channel to the parent is closed, because it would keep the process alive.
  if (process.connected) process.disconnect()
  exitSoon()
  return 0
}

type Metrics = Extract<Report, { kind: 'metrics' }>['metrics']

interface Orders {
  config: Config
  duty: Duty
  /**
   * Resolves when the process has to stop: to the time for batches in flight in ms, or to undefined if the parent has
   * ended.
   */
  stopped: Promise<number | undefined>
  onReadMetrics(read: () => Promise<Metrics>): void
}

/** Listens for orders of the parent. Call it first: an order that arrives during the start is not repeated. */
function hearOrders(): Promise<Orders> {
  // A server may be asked for its metrics before this process has started.
  let readMetrics: () => Promise<Metrics> = async () => []
  let stop = (_graceMs: number | undefined) => {}
  const stopped = new Promise<number | undefined>((resolve) => {
    stop = resolve
  })
  // The parent was killed. This process finishes its batches in flight, and workers of other processes continue with
  // the rest.
  process.once('disconnect', () => stop(undefined))
  process.once('SIGTERM', () => stop(undefined))
  const onReadMetrics = (read: () => Promise<Metrics>) => {
    readMetrics = read
  }
  return new Promise((resolve) => {
    process.on('message', (message) => {
      const order = v.parse(Order, message)
      switch (order.kind) {
        case 'start':
          return resolve({ config: order.config, duty: order.duty, stopped, onReadMetrics })
        case 'stop':
          return stop(order.graceMs)
        case 'readMetrics':
          void readMetrics().then((metrics) => void report({ kind: 'metrics', id: order.id, metrics }))
      }
    })
  })
}

/**
 * Starts the worker. If that fails, it reports the error to the parent, which starts another process, and resolves to
 * undefined.
 */
async function startWorker(config: Config, duty: Duty, logger: Logger): Promise<WorkerAssembly | undefined> {
  try {
    return await assembleWorker(
      { config, logger },
      duty,
      (store, outage) => void report({ kind: 'storeOutage', store, outage }),
      () => void report({ kind: 'load' }),
    )
  } catch (error) {
    void report({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
    if (!(error instanceof UserError)) logger.error({ err: error }, 'worker process: could not start')
    return undefined
  }
}

/**
 * Reports to the parent whether the worker is ready, now and at each change.
 * @returns a function that stops the reports
 */
function reportReadiness(isReady: () => boolean): () => void {
  let last = isReady()
  void report({ kind: 'ready', isReady: last })
  const timer = setInterval(() => {
    if (isReady() === last) return
    last = !last
    void report({ kind: 'ready', isReady: last })
  }, READY_INTERVAL_MS)
  return () => clearInterval(timer)
}

/** Reports the state of the providers, at each change. @returns a function that stops it */
function reportHealth(readHealth: () => ProviderHealth): () => void {
  let last = ''
  const timer = setInterval(() => {
    const health = readHealth()
    if (JSON.stringify(health) === last) return
    last = JSON.stringify(health)
    void report({ kind: 'health', health })
  }, READY_INTERVAL_MS)
  return () => clearInterval(timer)
}

/** Resolves when the report is on its way. */
function report(message: Report): Promise<void> {
  return new Promise((resolve) => {
    // After 'disconnect' the parent no longer exists, so there is nothing to report.
    if (process.connected) process.send?.(message, undefined, undefined, () => resolve())
    else resolve()
  })
}
