// Keeps the claims of batches in delivery: extends their leases, stores the progress of reliable sends, and stops the
// delivery of lost or cancelled batches and of single cancelled targets.
import { setMaxListeners } from 'node:events'
import type { Logger } from '../observability/log.ts'
import type { ClaimKey } from '../queue/batch.ts'
import type { Queue } from '../queue/queue.ts'
import { type Repetition, startRepeating } from '../timing/repeat.ts'

/** In ms. A cancellation takes effect on the next batch, and within a second on a batch that is being sent. */
const CANCEL_INTERVAL_MS = 500
/** In ms. A killed worker may send 100 ms of a reliable send twice: half of that is the interval, half the write. */
const CHECKPOINT_INTERVAL_MS = 50

interface Deps {
  queue: Pick<Queue, 'extend' | 'findCancelled' | 'checkpoint'>
  logger: Logger
  /** How often leases are extended, in ms: a third of a lease, so that two attempts may fail. */
  heartbeatMs: number
}

/** A batch while it is being delivered. */
export interface Hold {
  /** Aborts when the claim is lost, the send is cancelled, or the worker stops. */
  readonly signal: AbortSignal
  /** Single targets of the send were cancelled since the claim. */
  readonly hasExclusions: boolean
  /** Stores the progress from now on. @param read returns bits as in `BatchClaim.finished` */
  trackProgress(read: () => Uint8Array): void
  /** Calls `withdraw` every half a second once single targets of the send are cancelled. */
  onExclusions(withdraw: () => Promise<void>): void
}

interface Held {
  claim: ClaimKey
  stop: AbortController
  readProgress: (() => Uint8Array) | undefined
  hasExclusions: boolean
  withdraw: (() => Promise<void>) | undefined
}

/** Keeps the claims of a worker. */
export class LeaseKeeper {
  readonly #deps: Deps
  readonly #held = new Map<string, Held>()
  readonly #tasks: Repetition[]

  constructor(deps: Deps) {
    this.#deps = deps
    this.#tasks = [
      this.#repeat(deps.heartbeatMs, 'leases not extended', () => this.#extend()),
      this.#repeat(CANCEL_INTERVAL_MS, 'cancellations not read', () => this.#stopCancelled()),
      this.#repeat(CHECKPOINT_INTERVAL_MS, 'progress not stored', () => this.#checkpoint()),
    ]
  }

  /** Keeps a claim until `release`. */
  hold(claim: ClaimKey): Hold {
    const held: Held = {
      claim,
      stop: new AbortController(),
      readProgress: undefined,
      hasExclusions: false,
      withdraw: undefined,
    }
    // The requests of a batch may each wait on it. Node warns of a leak from the eleventh listener on.
    setMaxListeners(0, held.stop.signal)
    // The worker can claim its own batch again while an earlier delivery, whose lease has ended, is not over.
    this.#held.get(claim.id)?.stop.abort()
    this.#held.set(claim.id, held)
    return {
      signal: held.stop.signal,
      get hasExclusions() {
        return held.hasExclusions
      },
      trackProgress: (read) => {
        held.readProgress = read
      },
      onExclusions: (withdraw) => {
        held.withdraw = withdraw
      },
    }
  }

  /** Forgets a claim: its batch is acknowledged, released or abandoned. */
  release(claim: ClaimKey): void {
    if (this.#held.get(claim.id)?.claim === claim) this.#held.delete(claim.id)
  }

  /** Stops the delivery of all batches. */
  abortAll(): void {
    for (const { stop } of this.#held.values()) stop.abort()
  }

  /** Stops extending leases; resolves when no command to the queue is running. */
  async close(): Promise<void> {
    await Promise.all(this.#tasks.map((task) => task.stop()))
  }

  async #extend(): Promise<void> {
    const held = [...this.#held.values()]
    const lost = await this.#deps.queue.extend(held.map(({ claim }) => claim))
    for (const { claim, stop } of held) if (lost.has(claim.id)) stop.abort()
  }

  async #stopCancelled(): Promise<void> {
    const held = [...this.#held.values()]
    const cancelled = await this.#deps.queue.findCancelled([...new Set(held.map(({ claim }) => claim.uid))])
    for (const { claim, stop } of held) if (cancelled.get(claim.uid) === 'all') stop.abort()
    const some = held.filter(({ claim }) => cancelled.get(claim.uid) === 'some')
    for (const one of some) one.hasExclusions = true
    await Promise.all(some.map(({ withdraw }) => withdraw?.()))
  }

  async #checkpoint(): Promise<void> {
    const progress = [...this.#held.values()].flatMap(({ claim, readProgress }) =>
      readProgress ? [{ claim, finished: readProgress() }] : [],
    )
    if (progress.length > 0) await this.#deps.queue.checkpoint(progress)
  }

  /** Repeats a task while there are claims, without overlap: the store may not answer for longer than an interval. */
  #repeat(intervalMs: number, failure: string, work: () => Promise<void>): Repetition {
    return startRepeating({
      intervalMs,
      work: async () => {
        if (this.#held.size > 0) await work()
      },
      onError: (error) => this.#deps.logger.warn({ err: error }, `delivery: ${failure}, retrying`),
    })
  }
}
