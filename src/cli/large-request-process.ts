import * as v from 'valibot'
import { assembleLargeRequests, type LargeRequestAssembly } from '../assemble/assemble-large-requests.ts'
import type { SendCounts } from '../assemble/send-counts.ts'
import type { Config } from '../config/schema.ts'
import { UserError } from '../config/user-error.ts'
import { captureOutput } from '../observability/capture-output.ts'
import { type Logger, makeLogger } from '../observability/log.ts'
import { LargeRequestOrder, type LargeRequestReport } from '../processes/messages.ts'
import { CommandLineError } from './command-line-error.ts'
import { exitSoon } from './exit-soon.ts'

/**
 * `centripush large-request-process`: the process that a server starts for large requests. It obeys the orders on the
 * channel to its parent. Resolves to the exit code. @throws CommandLineError when a user starts it
 */
export async function runLargeRequestProcess(): Promise<number> {
  if (!process.send) throw new CommandLineError('only the server starts this command; use centripush serve')
  const { config, key, stopped } = await hearOrders()
  const logger = makeLogger(config.log)
  captureOutput(logger)
  const assembly = await start(config, key, logger)
  if (!assembly) return 1
  report({ kind: 'ready', url: assembly.url })
  await stopped
  await assembly.stop()
  // An open channel would keep the process alive.
  if (process.connected) process.disconnect()
  exitSoon()
  return 0
}

interface Orders {
  config: Config
  key: string
  /** Resolves at the order to stop, and when the parent has ended. */
  stopped: Promise<void>
}

/** Listens from the beginning, because an order that arrives during the start is not repeated. */
function hearOrders(): Promise<Orders> {
  let stop = () => {}
  const stopped = new Promise<void>((resolve) => {
    stop = resolve
  })
  process.once('disconnect', () => stop())
  process.once('SIGTERM', () => stop())
  return new Promise((resolve) => {
    process.on('message', (message) => {
      const order = v.parse(LargeRequestOrder, message)
      if (order.kind === 'start') resolve({ config: order.config, key: order.key, stopped })
      else stop()
    })
  })
}

/** Undefined when it fails; the parent gets a report. */
async function start(config: Config, key: string, logger: Logger): Promise<LargeRequestAssembly | undefined> {
  const counts: SendCounts = {
    onScheduled: (recipientType) => report({ kind: 'scheduled', recipientType }),
    onSkipped: (provider, count, reason) => report({ kind: 'skipped', provider, count, reason }),
  }
  try {
    return await assembleLargeRequests({ config, logger }, key, counts, (store, outage) => {
      report({ kind: 'storeOutage', store, outage })
    })
  } catch (error) {
    report({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
    if (!(error instanceof UserError)) logger.error({ err: error }, 'large requests: could not start')
    return undefined
  }
}

function report(message: LargeRequestReport): void {
  // After 'disconnect' there is no parent to report to.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined)
}
