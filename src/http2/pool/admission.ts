import type { CircuitBreaker } from '../circuit-breaker.ts'
import type { Http2Answer } from '../http2-client.ts'
import { type Http2Error, isServerFailure } from '../http2-error.ts'
import type { AdaptiveConcurrency } from './adaptive-concurrency.ts'

/** The parts of an admission. */
export interface AdmissionDeps {
  concurrency: AdaptiveConcurrency
  breaker: CircuitBreaker
  /** Whether an answer shows that the server does not work. */
  isFailure(answer: Http2Answer): boolean
}

/** Decides how many requests of a pool may be in flight: by the load and by the health of the server. */
export class Admission {
  /** The time at which the answers that are being read were received, by the pool's clock in ms. */
  receivedAtMs = 0
  readonly #deps: AdmissionDeps

  constructor(deps: AdmissionDeps) {
    this.#deps = deps
  }

  /** Number of requests that may be opened now. */
  get freeSlots(): number {
    const { concurrency, breaker } = this.#deps
    return Math.min(concurrency.freeSlots, breaker.allowance - concurrency.inFlight)
  }

  /** Whether no request may be opened now. */
  get isFull(): boolean {
    const { concurrency, breaker } = this.#deps
    return concurrency.inFlight >= concurrency.limit || concurrency.inFlight >= breaker.allowance
  }

  /** A request was sent. */
  onOpened(): void {
    this.#deps.concurrency.onOpened()
    this.#deps.breaker.onOpened()
  }

  /** A request was answered. @param startedAtMs the time at which its batch was queued */
  onAnswer(answer: Http2Answer, startedAtMs: number): void {
    const { concurrency, breaker, isFailure } = this.#deps
    concurrency.onAnswer(answer)
    if (isFailure(answer)) breaker.onFailure(`HTTP_${answer.status}`, startedAtMs)
    else breaker.onAnswer(this.receivedAtMs)
  }

  /** A request ended without an answer. @param startedAtMs the time at which its batch was queued */
  onFailure(error: Http2Error, startedAtMs: number): void {
    this.#deps.concurrency.onFailure()
    this.onUnreachable(error, startedAtMs)
  }

  /** Queued requests can't be sent. @param startedAtMs the time at which the oldest batch was queued */
  onUnreachable(error: Http2Error, startedAtMs: number): void {
    if (isServerFailure(error)) this.#deps.breaker.onFailure(error.detail ?? error.code, startedAtMs)
  }
}
