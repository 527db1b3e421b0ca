import type { Logger } from '../observability/log.ts'
import { type Repetition, startRepeating } from '../timing/repeat.ts'

const INTERVAL_MS = 3_600_000

/** A task that deletes old rows. If it can take long, it returns early when `signal` aborts. */
export type UpkeepTask = (signal: AbortSignal) => Promise<void>

/**
 * Runs the tasks immediately and then every hour. The error of a failed task is logged; the task runs again in an hour.
 */
export function startUpkeep(tasks: readonly UpkeepTask[], logger: Logger): Repetition {
  const onError = (error: unknown) => logger.warn({ err: error }, 'upkeep: task failed, retrying in an hour')
  const work = async (signal: AbortSignal) => {
    // The tasks run one after another: upkeep must not compete with requests for connections.
    for (const task of tasks) {
      if (signal.aborted) return
      await task(signal).catch(onError)
    }
  }
  return startRepeating({ intervalMs: INTERVAL_MS, startsAtOnce: true, work, onError })
}
