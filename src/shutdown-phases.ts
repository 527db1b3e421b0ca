// A server stops in two phases. In the first, all parts with work in flight finish it at the same time and accept no
// more. In the second, the parts that others depend on (pools, stores) are closed one after another, the last one that
// was opened first. A part that fails or hangs is logged and passed over.
//
// The start may be in progress: then a part that is registered is closed at once, and the start ends with a
// StoppedError.
import type { Logger } from './observability/log.ts'
import { DeadlineError, withDeadline } from './timing/deadline.ts'

/** The time of the limit that is kept for the second phase, in ms, and its share of a short limit. */
const CLOSING_MS = 3000
const CLOSING_SHARE = 0.25
/** How long a part may need to end when its work has ended or was aborted, in ms. */
const ENDING_MS = 1000
/** The second phase may take this long even if the first has used up the limit, in ms. */
const MIN_CLOSING_MS = 2000

/** The start ended, because the server was stopped during it. */
export class StoppedError extends Error {
  override readonly name = 'StoppedError'
}

/** With these, a part registers its step of the shutdown. @throws StoppedError if parts are refused */
export interface OnStop {
  /** For a part with work in flight: it accepts no more work and finishes its own within `graceMs`. */
  drain(name: string, stop: (graceMs: number) => Promise<void>): void
  /** For a part that others depend on: it is closed when no work is in flight. */
  close(name: string, stop: () => Promise<void>): void
}

export interface ShutdownPhases {
  onStop: OnStop
  /** From now on, each part that is registered is closed at once. For a start that is to end. */
  refuseParts(): void
  /**
   * Runs both phases in `timeoutMs`, or in three seconds more if that is short and parts hang. Never rejects.
   * @param closingMs the time of it that work in flight does not get
   */
  stop(timeoutMs: number, closingMs?: number): Promise<void>
}

interface Part {
  name: string
  stop(graceMs: number): Promise<void>
}

/** No step is registered yet. */
export function makeShutdownPhases(logger: Logger): ShutdownPhases {
  const draining: Part[] = []
  const closing: Part[] = []
  const late: Promise<void>[] = []
  let isStopping = false
  const stopInTime = ({ name, stop }: Part, graceMs: number, timeoutMs: number) =>
    withDeadline(stop(graceMs), timeoutMs).catch((error: unknown) => {
      if (error instanceof DeadlineError) logger.warn({ part: name, timeoutMs }, 'shutdown: part not stopped in time')
      else logger.error({ err: error, part: name }, 'shutdown: part did not stop cleanly')
    })
  const register = (parts: Part[], part: Part) => {
    if (!isStopping) return void parts.push(part)
    late.push(stopInTime(part, 0, MIN_CLOSING_MS))
    throw new StoppedError('the server was stopped during its start')
  }
  return {
    onStop: {
      drain: (name, stop) => register(draining, { name, stop }),
      close: (name, stop) => register(closing, { name, stop }),
    },
    refuseParts: () => {
      isStopping = true
    },
    stop: async (timeoutMs, closingMs = Math.min(CLOSING_MS, timeoutMs * CLOSING_SHARE)) => {
      isStopping = true
      const endsAtMs = performance.now() + timeoutMs
      const graceMs = timeoutMs - closingMs
      await Promise.all(draining.splice(0).map((part) => stopInTime(part, graceMs, graceMs + ENDING_MS)))
      const closedAtMs = Math.max(endsAtMs, performance.now() + MIN_CLOSING_MS)
      // A part that hangs gets half of the remaining time, so that some is left for the others.
      for (const part of closing.splice(0).reverse()) await stopInTime(part, 0, (closedAtMs - performance.now()) / 2)
      await Promise.all(late.splice(0))
    },
  }
}
