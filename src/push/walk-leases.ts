import type { Queue } from '../queue/queue.ts'
import type { SendClaim } from '../queue/send.ts'
import { type Repetition, startRepeating } from '../timing/repeat.ts'

interface Deps {
  queue: Pick<Queue, 'extendWalk'>
  /** How often the leases are extended, in ms. */
  heartbeatMs: number
}

/**
 * Extends the leases of all walks of a process with one timer. Most walks are of small sends and end long before their
 * first extension.
 */
export class WalkLeases {
  readonly #queue: Deps['queue']
  readonly #walks = new Set<SendClaim>()
  readonly #heartbeat: Repetition
  #extending: Promise<unknown> = Promise.resolve()

  constructor({ queue, heartbeatMs }: Deps) {
    this.#queue = queue
    this.#heartbeat = startRepeating({
      intervalMs: heartbeatMs,
      work: async () => {
        // An error of an extension is ignored: the next one is tried again, and the commit of a page finds a lost claim.
        this.#extending = Promise.allSettled([...this.#walks].map((claim) => this.#queue.extendWalk(claim)))
        await this.#extending
      },
      onError: () => undefined,
    })
  }

  /** Extends the lease of a walk from now on. */
  add(claim: SendClaim): void {
    this.#walks.add(claim)
  }

  /** Ends the extensions of a walk. Resolves when none is in progress. */
  async remove(claim: SendClaim): Promise<void> {
    this.#walks.delete(claim)
    await this.#extending
  }

  /** Ends all extensions. */
  async stop(): Promise<void> {
    await this.#heartbeat.stop()
  }
}
