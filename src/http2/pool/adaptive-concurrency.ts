import type { Http2Answer } from '../http2-client.ts'

/** Rounds of good answers until the limit is removed, for any number of requests in flight before it. */
const ROUNDS_TO_RECOVER = 100

/**
 * Limits the requests in flight to a server that reports to be busy, as congestion control of TCP does (RFC 5681): a
 * busy answer halves them, each round of good answers increases them, and the limit ends at the number before the first
 * busy answer. There is no limit while the server reports nothing; the cost is then two additions per request.
 */
export class AdaptiveConcurrency {
  readonly #isBusy: (answer: Http2Answer) => boolean
  #inFlight = 0
  /** Fractional, because one answer increases it by less than one. Its integer part applies. */
  #limit = Number.POSITIVE_INFINITY
  /** Requests in flight at the first busy answer. The limit is removed when it reaches this number. */
  #original = 0
  /** Open requests that were sent before the last decrease. Their busy answers cause no further one. */
  #stale = 0

  constructor(deps: { isBusy: (answer: Http2Answer) => boolean }) {
    this.#isBusy = deps.isBusy
  }

  /** Number of requests in flight. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** Number of requests that may be in flight. Infinite without a limit. */
  get limit(): number {
    return Math.floor(this.#limit)
  }

  /** The server was busy, and the limit still applies. */
  get isLimited(): boolean {
    return this.#limit !== Number.POSITIVE_INFINITY
  }

  /** Number of requests that may be opened now. */
  get freeSlots(): number {
    return this.limit - this.#inFlight
  }

  /** A request was sent. */
  onOpened(): void {
    this.#inFlight++
  }

  /** A request was answered. */
  onAnswer(answer: Http2Answer): void {
    if (this.#isBusy(answer)) this.#decrease()
    else if (this.isLimited) this.#increase()
    this.onFailure()
  }

  /** A request ended without an answer. This does not change the limit. */
  onFailure(): void {
    this.#inFlight--
    if (this.#stale > 0) this.#stale--
  }

  #decrease(): void {
    // The busy answers of one round are one report.
    if (this.#stale > 0) return
    if (!this.isLimited) this.#original = this.#inFlight
    this.#limit = Math.max(1, Math.min(this.#limit, this.#inFlight) / 2)
    this.#stale = this.#inFlight
  }

  #increase(): void {
    const perRound = Math.max(1, this.#original / ROUNDS_TO_RECOVER)
    this.#limit += perRound / this.#limit
    if (this.#limit >= this.#original) this.#limit = Number.POSITIVE_INFINITY
  }
}
