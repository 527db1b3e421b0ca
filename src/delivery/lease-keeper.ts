import type { Logger } from '../observability/log.ts'
import type { BatchClaim, Queue } from '../queue/queue.ts'

interface Deps {
  queue: Pick<Queue, 'extend'>
  logger: Logger
  /** How often the leases are extended: a third of a lease, so that two may fail. */
  heartbeatMs: number
}

/** Extends the leases of the batches being sent, and stops the sending of those that were lost to another worker. */
export class LeaseKeeper {
  readonly #deps: Deps
  readonly #held = new Map<string, { claim: BatchClaim; lost: AbortController }>()
  readonly #timer: NodeJS.Timeout
  #heartbeat: Promise<void> | undefined

  constructor(deps: Deps) {
    this.#deps = deps
    this.#timer = setInterval(() => {
      // A heartbeat that hangs (store away) is not joined by another.
      this.#heartbeat ??= this.#extend().finally(() => {
        this.#heartbeat = undefined
      })
    }, deps.heartbeatMs)
  }

  /** Keeps a claim until `drop`; the signal aborts when it is lost, or all sending has to stop. */
  hold(claim: BatchClaim): AbortSignal {
    const lost = new AbortController()
    this.#held.set(claim.id, { claim, lost })
    return lost.signal
  }

  drop(claim: BatchClaim): void {
    this.#held.delete(claim.id)
  }

  /** Stops the sending of everything that is held. */
  abortAll(): void {
    for (const { lost } of this.#held.values()) lost.abort()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#heartbeat
  }

  async #extend(): Promise<void> {
    const claims = [...this.#held.values()].map(({ claim }) => claim)
    if (claims.length === 0) return
    try {
      for (const id of await this.#deps.queue.extend(claims)) this.#held.get(id)?.lost.abort()
    } catch (error) {
      this.#deps.logger.warn({ err: error }, 'delivery: leases not extended, trying again at the next heartbeat')
    }
  }
}
