import { setMaxListeners } from 'node:events'
import type { ClaimKey, Progress } from '../queue/batch.ts'
import { makeOpenPromise, type OpenPromise } from '../timing/open-promise.ts'

/**
 * A claim while its batch is delivered. It is the confirmation of the batch's requests: they may be sent until
 * `untilMs`, which the lease keeper moves with each look at the store.
 */
export class Hold {
  readonly claim: ClaimKey
  /** Single targets of the send were cancelled since the claim. */
  hasExclusions = false
  /** Reads the progress of the batch. Undefined: it is not stored. */
  readProgress: (() => Omit<Progress, 'claim'>) | undefined
  /** Reads the cancelled targets of the batch. Undefined: the batch has not begun, and reads them when it does. */
  readExclusions: (() => Promise<void>) | undefined
  readonly #stopping = new AbortController()
  readonly #look: () => void
  #untilMs: number
  #renewal: OpenPromise | undefined

  /**
   * @param deps `untilMs`: the end of the confirmation by the claim itself, by `performance.now()`; `look` asks for an
   *   early look at the store
   */
  constructor(deps: { claim: ClaimKey; untilMs: number; look: () => void }) {
    this.claim = deps.claim
    this.#untilMs = deps.untilMs
    this.#look = deps.look
    // The requests of a batch may each wait on it. Node warns of a leak from the eleventh listener on.
    setMaxListeners(0, this.signal)
  }

  /** Aborts when the claim is lost, the send is cancelled, or the worker stops. */
  get signal(): AbortSignal {
    return this.#stopping.signal
  }

  /** The time of `performance.now()`, in ms, until which targets may be handed over. */
  get untilMs(): number {
    return this.#untilMs
  }

  /** Moves `untilMs`, unless a later look has moved it further. */
  confirm(untilMs: number): void {
    if (untilMs <= this.#untilMs) return
    this.#untilMs = untilMs
    this.#endRenewal()
  }

  /** Resolves when `untilMs` has moved or the delivery is stopped. Never rejects. */
  renewed(): Promise<void> {
    if (this.signal.aborted) return Promise.resolve()
    this.#renewal ??= makeOpenPromise()
    this.#look()
    return this.#renewal.promise
  }

  /** Stops the delivery. */
  stop(): void {
    this.#stopping.abort()
    this.#endRenewal()
  }

  #endRenewal(): void {
    this.#renewal?.resolve()
    this.#renewal = undefined
  }
}
