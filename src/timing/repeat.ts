/** Work that is repeated until its owner stops it. */
export interface Repetition {
  /** Aborts the signal of the work; resolves when no run is left. Safe to call twice. */
  stop(): Promise<void>
}

interface Options {
  /** The time between two starts of the work. */
  intervalMs: number
  /** Starts the first run immediately instead of after `intervalMs`. */
  startsAtOnce?: boolean
  /** Long work returns early when `signal` aborts. */
  work(signal: AbortSignal): Promise<void>
  /** Called with the error of each run that rejected; the next run comes all the same. */
  onError(error: unknown): void
}

/**
 * Repeats `work` without overlap: while a run is in progress, because a store is unreachable for example, the runs that
 * are due are skipped. The timer alone does not keep the process alive.
 */
export function startRepeating({ intervalMs, startsAtOnce = false, work, onError }: Options): Repetition {
  const stopping = new AbortController()
  let running: Promise<void> | undefined
  const run = () => {
    running ??= work(stopping.signal)
      .catch(onError)
      .finally(() => {
        running = undefined
      })
  }
  const timer = setInterval(run, intervalMs).unref()
  if (startsAtOnce) run()
  return {
    async stop() {
      clearInterval(timer)
      stopping.abort()
      await running
    },
  }
}
