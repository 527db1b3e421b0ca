// Watches over the batches that are being sent: extends their leases, notes in the queue what of them is settled where
// a send asks for that, and stops the sending of those that were lost to another worker or cancelled, as a whole or in
// some of their targets.
import type { Logger } from '../observability/log.ts'
import type { BatchClaim, Queue } from '../queue/queue.ts'
import { type Repetition, startRepeating } from '../timing/repeat.ts'

/** Cancelling takes effect on the next batch, and within a second on those that are long in being sent. */
const CANCEL_INTERVAL_MS = 500
/** The share of a reliable send that a killed worker may send twice. */
const CHECKPOINT_INTERVAL_MS = 100

interface Deps {
  queue: Pick<Queue, 'extend' | 'findCancelled' | 'checkpoint'>
  logger: Logger
  /** How often the leases are extended: a third of a lease, so that two may fail. */
  heartbeatMs: number
}

/** A batch while it is sent. */
export interface Hold {
  /** Aborts when the batch was lost or cancelled, or all sending has to stop. */
  readonly signal: AbortSignal
  /** Single targets of the send have been cancelled, as far as was looked for since the claim. */
  readonly hasDrops: boolean
  /** Has what is settled noted from now on; `read` gives it as `BatchClaim.settled`. */
  noteProgress(read: () => Uint8Array): void
  /** Has `withdraw` called, again and again, once single targets of the send were cancelled. */
  onDrops(withdraw: () => Promise<void>): void
}

interface Held {
  claim: BatchClaim
  stop: AbortController
  readProgress: (() => Uint8Array) | undefined
  hasDrops: boolean
  withdraw: (() => Promise<void>) | undefined
}

export class LeaseKeeper {
  readonly #deps: Deps
  readonly #held = new Map<string, Held>()
  readonly #duties: Repetition[]

  constructor(deps: Deps) {
    this.#deps = deps
    this.#duties = [
      this.#repeat(deps.heartbeatMs, 'leases not extended', () => this.#extend()),
      this.#repeat(CANCEL_INTERVAL_MS, 'cancelled sends not looked for', () => this.#stopCancelled()),
      this.#repeat(CHECKPOINT_INTERVAL_MS, 'settled targets not noted', () => this.#checkpoint()),
    ]
  }

  /** Keeps a claim until `drop`. */
  hold(claim: BatchClaim): Hold {
    const held: Held = {
      claim,
      stop: new AbortController(),
      readProgress: undefined,
      hasDrops: false,
      withdraw: undefined,
    }
    this.#held.set(claim.id, held)
    return {
      signal: held.stop.signal,
      get hasDrops() {
        return held.hasDrops
      },
      noteProgress: (read) => {
        held.readProgress = read
      },
      onDrops: (withdraw) => {
        held.withdraw = withdraw
      },
    }
  }

  drop(claim: BatchClaim): void {
    this.#held.delete(claim.id)
  }

  /** Stops the sending of everything that is held. */
  abortAll(): void {
    for (const { stop } of this.#held.values()) stop.abort()
  }

  async close(): Promise<void> {
    await Promise.all(this.#duties.map((duty) => duty.stop()))
  }

  async #extend(): Promise<void> {
    const claims = [...this.#held.values()].map(({ claim }) => claim)
    for (const id of await this.#deps.queue.extend(claims)) this.#held.get(id)?.stop.abort()
  }

  async #stopCancelled(): Promise<void> {
    const held = [...this.#held.values()]
    const cancelled = await this.#deps.queue.findCancelled([...new Set(held.map(({ claim }) => claim.uid))])
    for (const { claim, stop } of held) if (cancelled.get(claim.uid) === 'all') stop.abort()
    const some = held.filter(({ claim }) => cancelled.get(claim.uid) === 'some')
    for (const one of some) one.hasDrops = true
    await Promise.all(some.map(({ withdraw }) => withdraw?.()))
  }

  async #checkpoint(): Promise<void> {
    const progress = [...this.#held.values()].flatMap(({ claim, readProgress }) =>
      readProgress ? [{ claim, settled: readProgress() }] : [],
    )
    if (progress.length > 0) await this.#deps.queue.checkpoint(progress)
  }

  /** Repeats a duty; it is skipped while no claim is held. */
  #repeat(intervalMs: number, failure: string, work: () => Promise<void>): Repetition {
    return startRepeating({
      intervalMs,
      work: async () => {
        if (this.#held.size > 0) await work()
      },
      onError: (error) => this.#deps.logger.warn({ err: error }, `delivery: ${failure}, trying again`),
    })
  }
}
