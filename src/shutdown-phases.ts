// A server stops in two phases. In the first, all parts with work in flight finish it at the same time and accept no
// more. In the second, the parts that others depend on (pools, stores) are closed one after another, the last one that
// was opened first. A part that fails or hangs is logged and passed over.
import type { Logger } from './observability/log.ts'
import { withDeadline } from './timing/deadline.ts'

/** The time limit of each step besides the grace period: a database that hangs must not block the shutdown. */
const STEP_TIMEOUT_MS = 5000

/** With these, a part registers its step of the shutdown. */
export interface OnStop {
  /** For a part with work in flight: it accepts no more work and finishes its own within `graceMs`. */
  drain(name: string, stop: (graceMs: number) => Promise<void>): void
  /** For a part that others depend on: it is closed when no work is in flight. */
  close(name: string, stop: () => Promise<void>): void
}

export interface ShutdownPhases {
  onStop: OnStop
  /** Runs both phases; work in flight may take `graceMs`. Never rejects. */
  stop(graceMs: number): Promise<void>
}

/** No step is registered yet. */
export function makeShutdownPhases(logger: Logger): ShutdownPhases {
  const draining: { name: string; stop: (graceMs: number) => Promise<void> }[] = []
  const closing: { name: string; stop: () => Promise<void> }[] = []
  const stopInTime = (part: string, stopping: Promise<void>, timeoutMs: number) =>
    withDeadline(stopping, timeoutMs).catch((error: unknown) => {
      logger.error({ err: error, part }, 'shutdown: part did not stop cleanly')
    })
  return {
    onStop: {
      drain: (name, stop) => void draining.push({ name, stop }),
      close: (name, stop) => void closing.push({ name, stop }),
    },
    stop: async (graceMs) => {
      const drained = draining.splice(0)
      await Promise.all(drained.map(({ name, stop }) => stopInTime(name, stop(graceMs), graceMs + STEP_TIMEOUT_MS)))
      for (const { name, stop } of closing.splice(0).reverse()) await stopInTime(name, stop(), STEP_TIMEOUT_MS)
    },
  }
}
