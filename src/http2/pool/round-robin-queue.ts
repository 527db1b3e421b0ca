import type { BatchRun } from './pending-batch.ts'

/** Requests that a batch may send in its turn: a few, so that a single push does not wait behind a broadcast. */
const TURN_REQUESTS = 16

/** The batches that have requests waiting. They take turns. */
export class WaitingLine {
  readonly #runs: BatchRun[] = []
  #turn = 0
  #takenInTurn = 0

  get isEmpty(): boolean {
    return this.#runs.length === 0
  }

  /** How many requests wait. */
  count(): number {
    return this.#runs.reduce((sum, run) => sum + run.waiting, 0)
  }

  add(run: BatchRun): void {
    if (!this.#runs.includes(run)) this.#runs.push(run)
  }

  remove(run: BatchRun): void {
    const place = this.#runs.indexOf(run)
    if (place < 0) return
    this.#runs.splice(place, 1)
    if (place < this.#turn) this.#turn--
  }

  /** The batch whose request is next: take one from it before asking again. */
  next(): BatchRun | undefined {
    while (this.#runs.length > 0) {
      if (this.#turn >= this.#runs.length) this.#turn = 0
      const run = this.#runs[this.#turn]
      if (!run) return undefined
      if (run.waiting === 0) this.#runs.splice(this.#turn, 1)
      else if (this.#takenInTurn++ < TURN_REQUESTS) return run
      else this.#turn++
      this.#takenInTurn = 0
    }
    return undefined
  }

  /** Takes out those that were started before a time, by the pool's clock. */
  takeStartedBefore(timeMs: number): BatchRun[] {
    const late = this.#runs.filter((run) => run.startedAtMs < timeMs)
    for (const run of late) this.remove(run)
    return late
  }

  /** Takes all out. */
  clear(): BatchRun[] {
    return this.#runs.splice(0)
  }
}
