// The signals that stop a server, from its first moment on.
import type { Logger } from '../observability/log.ts'

const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
/**
 * Two signals to stop within this many ms count as one. Under npm a single Ctrl-C causes two: one from the terminal,
 * and one from npm, which forwards it.
 */
const SAME_PRESS_MS = 500

/**
 * Until `listenForStop`, a signal to stop ends the process with exit code 0. Nothing has been started then: the program
 * is being loaded, for up to a second. In the first process of a container, the kernel ignores a signal without a
 * handler.
 */
export function endAtStopSignals(): void {
  for (const signal of STOP_SIGNALS) process.on(signal, end)
}

/** The returned signal aborts at the first signal to stop. A second one ends the process immediately. */
export function listenForStop(logger: Logger): AbortSignal {
  const stopping = new AbortController()
  let firstAtMs: number | undefined
  const onSignal = (signal: NodeJS.Signals) => {
    if (firstAtMs === undefined) {
      firstAtMs = Date.now()
      logger.info({ signal }, 'server: stopping, work in flight finishes')
      stopping.abort()
    } else if (Date.now() - firstAtMs > SAME_PRESS_MS) {
      logger.warn({ signal }, 'server: stopped immediately by a second signal')
      process.exit(1)
    }
  }
  for (const signal of STOP_SIGNALS) process.off(signal, end).on(signal, onSignal)
  return stopping.signal
}

function end(): never {
  process.exit(0)
}
