// How many targets are being sent at once. Whatever was sent and is not acknowledged in the queue is sent again when the
// worker dies, so this is what a kill can cost in duplicates. Batches that were claimed and not begun cost none.

interface Waiting {
  count: number
  begin(): void
}

export class UnsettledTargets {
  readonly most: number
  readonly #waiting: Waiting[] = []
  #count = 0

  constructor(most: number) {
    this.most = most
  }

  /**
   * Resolves when a batch of `count` targets may be sent, in the order of the calls, or when `signal` aborts; `release`
   * has to follow either way. A batch larger than all that is allowed is sent alone.
   */
  async take(count: number, signal: AbortSignal): Promise<void> {
    if (this.#waiting.length === 0 && this.#fits(count)) this.#count += count
    else await this.#wait(count, signal)
  }

  /** To be called once for each `take`, when its batch is acknowledged. */
  release(count: number): void {
    this.#count -= count
    for (;;) {
      const [next] = this.#waiting
      if (!next || !this.#fits(next.count)) return
      this.#waiting.shift()
      next.begin()
    }
  }

  #fits(count: number): boolean {
    return this.#count === 0 || this.#count + count <= this.most
  }

  #wait(count: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const begin = () => {
        signal.removeEventListener('abort', abort)
        this.#count += count
        resolve()
      }
      const waiting = { count, begin }
      const abort = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        begin()
      }
      this.#waiting.push(waiting)
      signal.addEventListener('abort', abort, { once: true })
      if (signal.aborted) abort()
    })
  }
}
