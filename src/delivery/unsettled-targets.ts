// How many targets are being sent at once. Whatever was sent and is not acknowledged in the queue is sent again when the
// worker dies, so this is what a kill can cost in duplicates. Batches that were claimed and not begun cost none.

interface Waiting {
  count: number
  end(mayBegin: boolean): void
}

export class UnsettledTargets {
  readonly most: number
  readonly #waiting: Waiting[] = []
  #count = 0
  #isStopped = false

  constructor(most: number) {
    this.most = most
  }

  /**
   * Resolves to true when a batch of `count` targets may be sent, in the order of the calls; `release` has to follow. To
   * false when `signal` aborts before, or after `stop`. A batch larger than all that is allowed is sent alone.
   */
  async take(count: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted || this.#isStopped) return false
    if (this.#waiting.length > 0 || !this.#fits(count)) return await this.#wait(count, signal)
    this.#count += count
    return true
  }

  /** To be called once for each batch that was sent, when it is acknowledged. */
  release(count: number): void {
    this.#count -= count
    this.#beginNext()
  }

  /** Lets no batch begin any more. */
  stop(): void {
    this.#isStopped = true
    for (const { end } of [...this.#waiting]) end(false)
  }

  #fits(count: number): boolean {
    return this.#count === 0 || this.#count + count <= this.most
  }

  #beginNext(): void {
    for (;;) {
      const [next] = this.#waiting
      if (!next || !this.#fits(next.count)) return
      this.#count += next.count
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
