// How a server is taken down: first what works, all at once and with one deadline, then what that stood on, in the
// reverse order of its start. A part that fails or hangs keeps no other from being stopped.

import type { Logger } from './observability/log.ts'
import { withDeadline } from './timing/deadline.ts'

/** What remains may take this long each: a database that hangs must not hold a shutdown. */
const CLOSE_TIMEOUT_MS = 5000

/** How parts say what is to be done with them. */
export interface OnStop {
  /** For a part that has work in flight: let it finish within `graceMs`, take no more. */
  drain(name: string, stop: (graceMs: number) => Promise<void>): void
  /** For what others stand on, once nothing is in flight. */
  close(name: string, stop: () => Promise<void>): void
}

export interface Teardowns {
  onStop: OnStop
  /** Stops all parts; what is in flight may take `graceMs`. Never rejects. */
  stop(graceMs: number): Promise<void>
}

export function makeTeardowns(logger: Logger): Teardowns {
  const draining: { name: string; stop: (graceMs: number) => Promise<void> }[] = []
  const closing: { name: string; stop: () => Promise<void> }[] = []
  const stopInTime = (name: string, stopping: Promise<void>, timeoutMs: number) =>
    withDeadline(stopping, timeoutMs).catch((error: unknown) => {
      logger.error({ err: error }, `stopping: the ${name} failed`)
    })
  return {
    onStop: {
      drain: (name, stop) => void draining.push({ name, stop }),
      close: (name, stop) => void closing.push({ name, stop }),
    },
    stop: async (graceMs) => {
      const drained = draining.splice(0)
      await Promise.all(drained.map(({ name, stop }) => stopInTime(name, stop(graceMs), graceMs + CLOSE_TIMEOUT_MS)))
      for (const { name, stop } of closing.splice(0).reverse()) await stopInTime(name, stop(), CLOSE_TIMEOUT_MS)
    },
  }
}
