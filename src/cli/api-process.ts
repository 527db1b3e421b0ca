import * as v from 'valibot'
import { type ApiAssembly, assembleApi } from '../assemble/assemble-api.ts'
import { UserError } from '../config/user-error.ts'
import { captureOutput } from '../observability/capture-output.ts'
import { type Logger, makeLogger } from '../observability/log.ts'
import { ApiOrder, type ApiReport, LAST_METRICS } from '../processes/messages.ts'
import { CommandLineError } from './command-line-error.ts'
import { exitSoon } from './exit-soon.ts'

type Start = Extract<ApiOrder, { kind: 'start' }>

/**
 * The command `centripush api-process`: one of the processes that a server starts for its ports. It follows the orders
 * of its parent process, which arrive on Node's channel between the two. Resolves to the exit code.
 * @throws CommandLineError if a user starts it
 */
export async function runApiProcess(): Promise<number> {
  if (!process.send) throw new CommandLineError('only the server starts this command; use centripush serve')
  const { order, stopped, onReadMetrics } = await hearOrders()
  const { config } = order
  const logger = makeLogger(config.log)
  captureOutput(logger)
  const api = await start(order, logger)
  if (!api) return 1
  onReadMetrics(api.readMetrics)
  await report({ kind: 'ready', urls: api.urls })
  await api.stop((await stopped) ?? config.shutdown.timeout)
  await report({ kind: 'metrics', id: LAST_METRICS, metrics: await api.readMetrics() })
  // The channel to the parent is closed, because it would keep the process alive.
  if (process.connected) process.disconnect()
  exitSoon()
  return 0
}

interface Orders {
  order: Start
  /** Resolves when the process has to stop: to the time for requests in flight in ms; undefined after a signal. */
  stopped: Promise<number | undefined>
  onReadMetrics(read: ApiAssembly['readMetrics']): void
}

/** Listens for orders of the parent. Call it first: an order that arrives during the start is not repeated. */
function hearOrders(): Promise<Orders> {
  // A server may be asked for its metrics before this process has started.
  let readMetrics: ApiAssembly['readMetrics'] = async () => []
  let stop = (_graceMs: number | undefined) => {}
  const stopped = new Promise<number | undefined>((resolve) => {
    stop = resolve
  })
  // Signals for all processes of the server, such as Ctrl-C, arrive here too. The order of the parent comes as well.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stop(undefined))
  const onReadMetrics = (read: ApiAssembly['readMetrics']) => {
    readMetrics = read
  }
  return new Promise((resolve) => {
    void report({ kind: 'listening' })
    process.on('message', (message) => {
      const parsed = v.safeParse(ApiOrder, message)
      // node:cluster uses the same channel for its own messages.
      if (!parsed.success) return
      const order = parsed.output
      if (order.kind === 'start') resolve({ order, stopped, onReadMetrics })
      else if (order.kind === 'stop') stop(order.graceMs)
      else void readMetrics().then((metrics) => void report({ kind: 'metrics', id: order.id, metrics }))
    })
  })
}

/** Undefined when it fails; the parent gets a report. */
async function start(order: Start, logger: Logger): Promise<ApiAssembly | undefined> {
  try {
    return await assembleApi(order, logger, (store, outage) => void report({ kind: 'storeOutage', store, outage }))
  } catch (error) {
    await report({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
    if (!(error instanceof UserError)) logger.error({ err: error }, 'api process: could not start')
    return undefined
  }
}

/** Resolves when the report is on its way. */
function report(message: ApiReport): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, undefined, undefined, () => resolve())
    else resolve()
  })
}
