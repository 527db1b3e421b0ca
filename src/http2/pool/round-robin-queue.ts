import type { PendingBatch } from './pending-batch.ts'

/** Requests that a batch may send in one turn: few, so that a broadcast does not delay a single push. */
const TURN_REQUESTS = 16

/** Batches with queued requests. Each sends a few requests in its turn. */
export class RoundRobinQueue {
  readonly #batches: PendingBatch[] = []
  #turn = 0
  #takenInTurn = 0

  /** No batch is queued. */
  get isEmpty(): boolean {
    return this.#batches.length === 0
  }

  /** Number of queued requests of all batches. */
  countRequests(): number {
    return this.#batches.reduce((sum, batch) => sum + batch.queued, 0)
  }

  /** Adds a batch, unless it is queued already. */
  add(batch: PendingBatch): void {
    if (!this.#batches.includes(batch)) this.#batches.push(batch)
  }

  /** Removes a batch, if it is queued. */
  remove(batch: PendingBatch): void {
    const position = this.#batches.indexOf(batch)
    if (position < 0) return
    this.#batches.splice(position, 1)
    if (position < this.#turn) this.#turn--
  }

  /** The batch with the next request to send. Call its `take` before the next call. */
  next(): PendingBatch | undefined {
    while (this.#batches.length > 0) {
      if (this.#turn >= this.#batches.length) this.#turn = 0
      const batch = this.#batches[this.#turn]
      if (!batch) return undefined
      if (batch.queued === 0) this.#batches.splice(this.#turn, 1)
      else if (this.#takenInTurn++ < TURN_REQUESTS) return batch
      else this.#turn++
      this.#takenInTurn = 0
    }
    return undefined
  }

  /** Removes and returns the batches that were started before a time of the pool's clock. */
  takeStartedBefore(timeMs: number): PendingBatch[] {
    const old = this.#batches.filter((batch) => batch.startedAtMs < timeMs)
    for (const batch of old) this.remove(batch)
    return old
  }

  /** Removes and returns all batches. */
  clear(): PendingBatch[] {
    return this.#batches.splice(0)
  }
}
