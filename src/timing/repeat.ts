/** Work that is repeated until its owner stops it. */
export interface Repetition {
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
  /** Runs once. Work that can take long returns early when `signal` aborts. */
  work(signal: AbortSignal): Promise<void>
  /** Called with the error of each run that rejected. The next run starts at its time nevertheless. */
  onError(error: unknown): void
}

/**
 * Repeats `work` without overlap: runs that become due while another one is in progress, for example because a store is
 * unreachable, are skipped. The timer alone does not keep the process alive.
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
