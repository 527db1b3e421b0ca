/**
 * The least time between two counts of the jobs, in ms. The limit of jobs need not be exact, and counting is expensive.
 */
const COUNT_INTERVAL_MS = 1000

interface Deps {
  /** The number of jobs from which on the queue is full. */
  maxJobs: number
  /** Counts the jobs of the queue. */
  count: () => Promise<number>
}

/** The limit of the jobs in a queue. */
export class JobLimit {
  readonly #deps: Deps
  #full: { untilMs: number; answer: Promise<boolean> } | undefined

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Whether the queue has `maxJobs` jobs, by a count of the last second. */
  isReached(): Promise<boolean> {
    const nowMs = Date.now()
    if (!this.#full || nowMs >= this.#full.untilMs) {
      const { count, maxJobs } = this.#deps
      this.#full = { untilMs: nowMs + COUNT_INTERVAL_MS, answer: count().then((jobs) => jobs >= maxJobs) }
    }
    return this.#full.answer
  }
}
