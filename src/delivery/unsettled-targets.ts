// How many targets are being sent at once. Whatever was sent and is not acknowledged in the queue is sent again when the
// worker dies, so this is what a kill can cost in duplicates. Batches that were claimed and not begun cost none.

interface Waiting {
  count: number
  end(mayBegin: boolean): void
}

export class UnsettledTargets {
  readonly most: number
  readonly #mostBatches: number
  readonly #waiting: Waiting[] = []
  #count = 0
  #batches = 0
  #isStopped = false

  /** @param most targets, in at most so many batches */
  constructor(most: number, mostBatches: number) {
    this.most = most
    this.#mostBatches = mostBatches
  }

  /**
   * Resolves to true when a batch of `count` targets may be sent, in the order of the calls; `release` has to follow. To
   * false when `signal` aborts before, or after `stop`. A batch larger than all that is allowed is sent alone.
   */
  async take(count: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted || this.#isStopped) return false
    if (this.#waiting.length > 0 || !this.#fits(count)) return await this.#wait(count, signal)
    this.#add(count)
    return true
  }

  /** To be called once for each batch that was sent, when it is acknowledged. */
  release(count: number): void {
    this.#count -= count
    this.#batches--
    this.#beginNext()
  }

  /** Lets no batch begin any more. */
  stop(): void {
    this.#isStopped = true
    for (const { end } of [...this.#waiting]) end(false)
  }

  #fits(count: number): boolean {
    return this.#batches === 0 || (this.#count + count <= this.most && this.#batches < this.#mostBatches)
  }

  #add(count: number): void {
    this.#count += count
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
        // A smaller one may have waited behind it.
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
