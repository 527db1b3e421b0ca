import type { Logger } from '../observability/log.ts'

const INTERVAL_MS = 3_600_000

/** Runs tasks that delete what is old, at once and then every hour. Resolves `stop` when none runs any more. */
export function startUpkeep(tasks: readonly (() => Promise<void>)[], logger: Logger): { stop(): Promise<void> } {
  let running: Promise<void> = Promise.resolve()
  const run = () => {
    running = runAll(tasks, logger)
  }
  run()
  const timer = setInterval(run, INTERVAL_MS)
  return {
    stop() {
      clearInterval(timer)
      return running
    },
  }
}

/** One after another: upkeep is never in a hurry. */
async function runAll(tasks: readonly (() => Promise<void>)[], logger: Logger): Promise<void> {
  for (const task of tasks) {
    await task().catch((error: unknown) => logger.warn({ err: error }, 'upkeep: failed, trying again in an hour'))
  }
}
