// Limits the targets that are in flight at the same time. After a kill of the worker the targets of unacknowledged
// batches are sent again, so this bounds the duplicates of a kill. Claimed batches that have not begun cause none.

interface Waiting {
  count: number
  end(mayBegin: boolean): void
}

/** A limit of targets and batches, granted in the order of the requests. */
export class InFlightLimit {
  /** The most targets in flight. */
  readonly maxTargets: number
  readonly #maxBatches: number
  readonly #waiting: Waiting[] = []
  #targets = 0
  #batches = 0
  #isStopped = false

  constructor(maxTargets: number, maxBatches: number) {
    this.maxTargets = maxTargets
    this.#maxBatches = maxBatches
  }

  /** As `take`, for a batch that need not wait; false if it has to. */
  takeNow(count: number): boolean {
    if (this.#isStopped || this.#waiting.length > 0 || !this.#fits(count)) return false
    this.#add(count)
    return true
  }

  /**
   * Resolves to true when a batch of `count` targets may be sent; the caller has to call `release` later. Resolves to
   * false if `signal` aborts first, and after `stop`. A batch larger than the limit is sent alone.
   */
  async take(count: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted || this.#isStopped) return false
    return this.takeNow(count) || (await this.#wait(count, signal))
  }

  /** To be called once for each batch that `take` granted, after its acknowledgement. */
  release(count: number): void {
    this.#targets -= count
    this.#batches--
    this.#beginNext()
  }

  /** Refuses all waiting and later batches. */
  stop(): void {
    this.#isStopped = true
    for (const { end } of [...this.#waiting]) end(false)
  }

  #fits(count: number): boolean {
    return this.#batches === 0 || (this.#targets + count <= this.maxTargets && this.#batches < this.#maxBatches)
  }

  #add(count: number): void {
    this.#targets += count
    this.#batches++
  }

  #beginNext(): void {
    for (;;) {
      const [next] = this.#waiting
      if (!next || !this.#fits(next.count)) return
      this.#add(next.count)
      next.end(true)
    }
  }

  #wait(count: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const onAbort = () => {
        waiting.end(false)
        // The next batch may be smaller and fit.
        this.#beginNext()
      }
      const waiting = {
        count,
        end: (mayBegin: boolean) => {
          signal.removeEventListener('abort', onAbort)
          this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
          resolve(mayBegin)
        },
      }
      this.#waiting.push(waiting)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }
}
