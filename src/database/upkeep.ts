import type { Logger } from '../observability/log.ts'

const INTERVAL_MS = 3_600_000

/** Deletes what is old; one that can take long returns early when `signal` aborts. */
export type UpkeepTask = (signal: AbortSignal) => Promise<void>

/** Runs tasks at once and then every hour. Resolves `stop` when none runs any more. */
export function startUpkeep(tasks: readonly UpkeepTask[], logger: Logger): { stop(): Promise<void> } {
  const stopping = new AbortController()
  let running: Promise<void> = Promise.resolve()
  const run = () => {
    // Should the tasks of an hour ago still run, these wait for them.
    running = running.then(() => runAll(tasks, stopping.signal, logger))
  }
  run()
  const timer = setInterval(run, INTERVAL_MS)
  return {
    stop() {
      clearInterval(timer)
      stopping.abort()
      return running
    },
  }
}

/** One after another: upkeep is never in a hurry. */
async function runAll(tasks: readonly UpkeepTask[], signal: AbortSignal, logger: Logger): Promise<void> {
  for (const task of tasks) {
    if (signal.aborted) return
    await task(signal).catch((error: unknown) => logger.warn({ err: error }, 'upkeep: failed, trying again in an hour'))
  }
}
