// Keeps the claims of batches in delivery: looks at the store for lost claims and cancelled targets, extends leases,
// and stores the progress of reliable sends.
//
// A worker may be stopped or cut off from the store at any moment, while others cancel sends and claim its batches.
// Therefore a look, like the claim itself, permits to hand over targets only for a short time after its beginning, by
// a clock that runs on while the process is stopped. After that the targets wait for the next look.
import type { Logger } from '../observability/log.ts'
import type { ClaimKey, ClaimState } from '../queue/batch.ts'
import type { Queue } from '../queue/queue.ts'
import { type Repetition, startRepeating } from '../timing/repeat.ts'
import { Hold } from './hold.ts'

/** In ms. The rest of a second is for the way of a request to the provider: a cancel takes effect within a second. */
const MAX_AGE_MS = 800
/** Looks in progress at once. A connection may hang for many seconds, and later looks may use another one. */
const MAX_LOOKS = 3
/** In ms. A killed worker may send 100 ms of a reliable send twice: half of that is the interval, half the write. */
const CHECKPOINT_INTERVAL_MS = 50

interface Deps {
  queue: Pick<Queue, 'confirm' | 'checkpoint'>
  logger: Logger
  /** How long a claim is valid after an extension, in ms. */
  leaseMs: number
  /** How often leases are extended, in ms: a third of a lease, so that two attempts may fail. */
  heartbeatMs: number
}

/** Keeps the claims of a worker. */
export class LeaseKeeper {
  readonly #deps: Deps
  readonly #holds = new Map<string, Hold>()
  /** How long a look permits to hand over targets, in ms. A lease lasts longer than that after each look. */
  readonly #maxAgeMs: number
  /** Undefined while there are no claims. */
  #repetitions: { looks: Repetition; checkpoints: Repetition } | undefined
  #ending: Promise<unknown> = Promise.resolve()
  readonly #lookNow = () => this.#repetitions?.looks.runNow()

  constructor(deps: Deps) {
    this.#deps = deps
    this.#maxAgeMs = Math.min(MAX_AGE_MS, deps.leaseMs - deps.heartbeatMs)
  }

  /**
   * Keeps a claim until `release`.
   * @param askedAtMs the time of `performance.now()` before the claim was asked for
   * @param shared the abort controller of all small batches; by default the batch gets its own
   */
  hold(claim: ClaimKey, askedAtMs: number, shared?: AbortController): Hold {
    this.#repetitions ??= {
      // While looks take less than the other half of the time, targets never wait for one.
      looks: this.#repeat(this.#maxAgeMs / 2, MAX_LOOKS, 'claims not confirmed', () => this.#look()),
      checkpoints: this.#repeat(CHECKPOINT_INTERVAL_MS, 1, 'progress not stored', () => this.#checkpoint()),
    }
    const hold = new Hold({ claim, untilMs: askedAtMs + this.#maxAgeMs, look: this.#lookNow, shared })
    // The worker can claim its own batch again after the lease has ended, while the earlier delivery is not over.
    this.#holds.get(claim.id)?.stop()
    this.#holds.set(claim.id, hold)
    return hold
  }

  /** Forgets a claim: its batch is acknowledged, released or abandoned. */
  release(hold: Hold): void {
    if (this.#holds.get(hold.claim.id) === hold) this.#holds.delete(hold.claim.id)
  }

  /** Stops the delivery of all batches. */
  abortAll(): void {
    for (const hold of this.#holds.values()) hold.abort()
  }

  /** Stops extending leases; resolves when no command to the queue is running. */
  async close(): Promise<void> {
    this.#rest()
    await this.#ending
  }

  /** Ends the repetitions until the next claim. */
  #rest(): void {
    const { looks, checkpoints } = this.#repetitions ?? {}
    this.#repetitions = undefined
    this.#ending = Promise.all([this.#ending, looks?.stop(), checkpoints?.stop()])
  }

  async #look(): Promise<void> {
    const beganAtMs = performance.now()
    const holds = [...this.#holds.values()]
    const states = await this.#deps.queue.confirm(
      holds.map(({ claim }) => claim),
      this.#deps.heartbeatMs,
    )
    const untilMs = beganAtMs + this.#maxAgeMs
    const reads: Promise<void>[] = []
    for (const [index, hold] of holds.entries()) {
      // A claim that was acknowledged during the look is lost, and its delivery has ended.
      if (this.#holds.get(hold.claim.id) !== hold) continue
      const state = states[index]
      if (state === 'excluded') reads.push(applyExclusions(hold, untilMs))
      else apply(hold, state, untilMs)
    }
    await Promise.all(reads)
  }

  async #checkpoint(): Promise<void> {
    const reads = [...this.#holds.values()].flatMap(({ claim, readProgress }) =>
      readProgress ? [readProgress().then((read) => ({ claim, ...read }))] : [],
    )
    const progress = await Promise.all(reads)
    if (progress.length > 0) await this.#deps.queue.checkpoint(progress)
  }

  /** Repeats a task until there are no claims. */
  #repeat(intervalMs: number, maxRuns: number, failure: string, work: () => Promise<void>): Repetition {
    return startRepeating({
      intervalMs,
      maxRuns,
      work: async () => {
        if (this.#holds.size > 0) await work()
        else this.#rest()
      },
      onError: (error) => this.#deps.logger.warn({ err: error }, `delivery: ${failure}, retrying`),
    })
  }
}

/** Applies the result of a look to a hold. */
function apply(hold: Hold, state: Exclude<ClaimState, 'excluded'> | undefined, untilMs: number): void {
  if (state === 'lost' || state === 'cancelled') hold.stop()
  else if (state === 'valid') hold.confirm(untilMs)
}

/** Rejects when the cancelled targets can't be read: then nothing is confirmed. */
async function applyExclusions(hold: Hold, untilMs: number): Promise<void> {
  hold.hasExclusions = true
  await hold.readExclusions?.()
  hold.confirm(untilMs)
}
