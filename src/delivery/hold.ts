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
  readProgress: (() => Promise<Omit<Progress, 'claim'>>) | undefined
  /** Reads the cancelled targets of the batch. Undefined: the batch has not begun, and reads them when it does. */
  readExclusions: (() => Promise<void>) | undefined
  readonly #aborting: AbortController
  /** Whether only this batch waits on the signal. */
  readonly #isAlone: boolean
  readonly #look: () => void
  #untilMs: number
  #isStopped = false
  #stopped: OpenPromise | undefined
  #renewal: OpenPromise | undefined

  /**
   * @param deps `untilMs`: the end of the confirmation by the claim itself, by `performance.now()`; `look` asks for an
   *   early look at the store; `shared`: the abort controller of all small batches
   */
  constructor(deps: { claim: ClaimKey; untilMs: number; look: () => void; shared?: AbortController | undefined }) {
    this.claim = deps.claim
    this.#untilMs = deps.untilMs
    this.#look = deps.look
    this.#isAlone = deps.shared === undefined
    this.#aborting = deps.shared ?? makeAbortController()
  }

  /**
   * Aborts when the worker stops; unless it is shared, also when the claim is lost or the send is cancelled. The batch
   * ends in any case, and the answers to requests that are already sent are ignored.
   */
  get signal(): AbortSignal {
    return this.#aborting.signal
  }

  /** Whether the claim is lost, the send is cancelled, or the worker stops: no further target is handed over. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  /** Resolves when the delivery is stopped. */
  stopped(): Promise<void> {
    this.#stopped ??= makeOpenPromise()
    if (this.#isStopped) this.#stopped.resolve()
    return this.#stopped.promise
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
    if (this.#isStopped) return Promise.resolve()
    this.#renewal ??= makeOpenPromise()
    this.#look()
    return this.#renewal.promise
  }

  /** Stops the delivery. */
  stop(): void {
    this.#isStopped = true
    if (this.#isAlone) this.#aborting.abort()
    this.#stopped?.resolve()
    this.#endRenewal()
  }

  /** Stops the delivery, and those of the batches that share the signal. */
  abort(): void {
    this.stop()
    this.#aborting.abort()
  }

  #endRenewal(): void {
    this.#renewal?.resolve()
    this.#renewal = undefined
  }
}

/** An abort controller for many requests. Node warns of a leak from the eleventh listener on. */
export function makeAbortController(): AbortController {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  return controller
}
