import { pause } from '../timing/pause.ts'
import type { Logger } from './log.ts'

/** The pause between two attempts, in ms. */
const ATTEMPT_INTERVAL_MS = 250
/** The least time between two log lines, in ms. */
const LOG_INTERVAL_MS = 5000

interface Deps {
  /** The store, for the log. */
  name: string
  /** The limit of the wait, in ms. */
  timeoutMs: number
  /** Whether the error of an attempt may pass: the store is starting, or not reachable yet. */
  mayPass(error: unknown): boolean
  logger: Logger
  /** Ends the wait. */
  signal: AbortSignal | undefined
}

/**
 * Connects to a store that may still be starting: repeats `connect` until it succeeds. Rejects with the error of the
 * last attempt when that error does not pass by itself, when the time is over, or when `signal` aborts.
 */
export async function waitForStore<T>(deps: Deps, connect: () => Promise<T>): Promise<T> {
  const { name, timeoutMs, mayPass, logger, signal = new AbortController().signal } = deps
  const beganAtMs = performance.now()
  let loggedAtMs = Number.NEGATIVE_INFINITY
  for (;;) {
    try {
      return await connect()
    } catch (error) {
      const nowMs = performance.now()
      if (signal.aborted || nowMs - beganAtMs >= timeoutMs || !mayPass(error)) throw error
      if (nowMs - loggedAtMs >= LOG_INTERVAL_MS) {
        loggedAtMs = nowMs
        const seconds = Math.round((nowMs - beganAtMs) / 1000)
        const why = error instanceof Error ? error.message : 'unknown'
        logger.warn({ store: name, why, seconds, maxSeconds: timeoutMs / 1000 }, 'start: store not ready, waiting')
      }
      await pause(ATTEMPT_INTERVAL_MS, signal)
    }
  }
}
