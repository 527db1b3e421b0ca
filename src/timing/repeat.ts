/** Work that is repeated until its owner stops it. */
export interface Repetition {
  /** Starts a run at once, unless as many as are allowed are in progress. */
  runNow(): void
  /**
   * Aborts the signal of the running work. Resolves when no run is in progress, and none will start. Safe to call
   * twice.
   */
  stop(): Promise<void>
}

interface Options {
  /** The time between the starts of two runs, in ms. */
  intervalMs: number
  /** Starts the first run immediately instead of after `intervalMs`. */
  startsAtOnce?: boolean
  /** The runs that may be in progress at once, 1 unless given. */
  maxRuns?: number
  /** Runs once. Work that can take long returns early when `signal` aborts. */
  work(signal: AbortSignal): Promise<void>
  /** Called with the error of each run that rejected. The next run starts at its time nevertheless. */
  onError(error: unknown): void
}

/**
 * Repeats `work`. Runs that become due while `maxRuns` others are in progress, for example because a store is
 * unreachable, are skipped. The timer alone does not keep the process alive.
 */
export function startRepeating({ intervalMs, startsAtOnce = false, maxRuns = 1, work, onError }: Options): Repetition {
  const stopping = new AbortController()
  const running = new Set<Promise<void>>()
  const run = () => {
    if (running.size >= maxRuns || stopping.signal.aborted) return
    const started = work(stopping.signal)
      .catch(onError)
      .finally(() => running.delete(started))
    running.add(started)
  }
  const timer = setInterval(run, intervalMs).unref()
  if (startsAtOnce) run()
  return {
    runNow: run,
    async stop() {
      clearInterval(timer)
      stopping.abort()
      await Promise.all(running)
    },
  }
}
