import type { Http2Answer } from '../http2-client.ts'

/** Back to the full pace in this many rounds of good answers, whatever it was. */
const ROUNDS_TO_RECOVER = 100

/**
 * How many requests may be in flight to a server that says it is busy: half as many as there were, and then more with
 * each round of good answers, as TCP does (RFC 5681), until they are as many as before. A server that never says so is
 * not held back, and costs two additions a request.
 */
export class Pace {
  readonly #isBusy: (answer: Http2Answer) => boolean
  #inFlight = 0
  /** Grows by fractions; its whole part counts. */
  #limit = Number.POSITIVE_INFINITY
  /** In flight when the server first said that it is busy: from there on there is no limit. */
  #full = 0
  /** Requests that were opened before the last slowing down: what they say is known. */
  #stale = 0

  constructor(deps: { isBusy: (answer: Http2Answer) => boolean }) {
    this.#isBusy = deps.isBusy
  }

  /** Requests that may be in flight by now. */
  get limit(): number {
    return Math.floor(this.#limit)
  }

  /** The server is being spared. */
  get isSlowed(): boolean {
    return this.#limit !== Number.POSITIVE_INFINITY
  }

  /** How many requests may be opened. */
  get room(): number {
    return this.limit - this.#inFlight
  }

  onOpened(): void {
    this.#inFlight++
  }

  onAnswer(answer: Http2Answer): void {
    if (this.#isBusy(answer)) this.#slowDown()
    else if (this.isSlowed) this.#speedUp()
    this.onFailure()
  }

  /** A request ended without an answer, which says nothing about the pace. */
  onFailure(): void {
    this.#inFlight--
    if (this.#stale > 0) this.#stale--
  }

  #slowDown(): void {
    // One answer of this kind is as good as the hundred that come with it.
    if (this.#stale > 0) return
    if (!this.isSlowed) this.#full = this.#inFlight
    this.#limit = Math.max(1, Math.min(this.#limit, this.#inFlight) / 2)
    this.#stale = this.#inFlight
  }

  #speedUp(): void {
    const perRound = Math.max(1, this.#full / ROUNDS_TO_RECOVER)
    this.#limit += perRound / this.#limit
    if (this.#limit >= this.#full) this.#limit = Number.POSITIVE_INFINITY
  }
}
