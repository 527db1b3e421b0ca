import { setPriority } from 'node:os'
import * as v from 'valibot'
import { assembleWorker, type WorkerAssembly } from '../assemble/assemble-worker.ts'
import type { Config } from '../config/schema.ts'
import { UserError } from '../config/user-error.ts'
import { type Logger, makeLogger } from '../observability/log.ts'
import { Order, type Report } from '../processes/messages.ts'
import type { Duty } from '../queue/queue.ts'
import { CommandLineError } from './command-line-error.ts'
import { exitSoon } from './exit-soon.ts'

const READY_INTERVAL_MS = 250
/** A broadcast takes all the CPU there is: a push for one phone, the API and what is proxied go first. See nice(1). */
const BROADCAST_NICENESS = 10

/**
 * `centripush worker-process`: what a server starts when it sends from several processes. It does what it is told over the
 * channel to its parent and is not for people. Resolves to the exit code.
 */
export async function runWorkerProcess(): Promise<number> {
  if (!process.send) throw new CommandLineError('is started by the server; run centripush serve --role worker')
  // Ctrl-C reaches the whole group: the parent decides what it means.
  process.on('SIGINT', () => undefined)
  const { config, duty, stopped, onReadMetrics } = await hearOrders()
  if (duty.lanes.includes('broadcast')) setPriority(BROADCAST_NICENESS)
  const logger = makeLogger(config.log)
  const worker = await startWorker(config, duty, logger)
  if (!worker) return 1
  onReadMetrics(worker.readMetrics)
  const stopReporting = reportReadiness(worker.isReady)
  await worker.stop((await stopped) ?? config.shutdown.timeout)
  stopReporting()
  // Nothing is left to be done, and an idle channel would keep the process alive.
  if (process.connected) process.disconnect()
  exitSoon()
  return 0
}

type Metrics = Extract<Report, { kind: 'metrics' }>['metrics']

interface Orders {
  config: Config
  duty: Duty
  /** To the time that work in flight may take; undefined where nobody said. */
  stopped: Promise<number | undefined>
  onReadMetrics(read: () => Promise<Metrics>): void
}

/** Listens from the first moment, because an order that comes while the worker starts is not repeated. */
function hearOrders(): Promise<Orders> {
  let readMetrics: (() => Promise<Metrics>) | undefined
  let stop = (_graceMs: number | undefined) => {}
  const stopped = new Promise<number | undefined>((resolve) => {
    stop = resolve
  })
  // A parent that was killed: what is being sent is finished, the rest is left to others.
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
          void readMetrics?.().then((metrics) => report({ kind: 'metrics', id: order.id, metrics }))
      }
    })
  })
}

/** Undefined when it can't; the parent is told, and tries again. */
async function startWorker(config: Config, duty: Duty, logger: Logger): Promise<WorkerAssembly | undefined> {
  try {
    return await assembleWorker({ config, logger }, duty)
  } catch (error) {
    report({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
    if (!(error instanceof UserError)) logger.error({ err: error }, 'worker process: could not start')
    return undefined
  }
}

function reportReadiness(isReady: () => boolean): () => void {
  let last = isReady()
  report({ kind: 'ready', isReady: last })
  const timer = setInterval(() => {
    if (isReady() === last) return
    last = !last
    report({ kind: 'ready', isReady: last })
  }, READY_INTERVAL_MS)
  return () => clearInterval(timer)
}

function report(message: Report): void {
  // A parent that is gone is told nothing, and 'disconnect' has been heard.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined)
}
