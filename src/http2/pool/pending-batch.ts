// A batch on its way: which of its requests wait, which have to be sent again, how many are settled. Each request is
//
//   waiting ──take()──▶ in flight ──(answer | failure)──▶ settled
//                 ▲          │
//                 └──────────┘ refused or left behind by a GOAWAY, a few times

import type { Http2Answer, Http2Batch } from '../http2-client.ts'
import { Http2Error } from '../http2-error.ts'
import type { WantedHeaders } from '../session/answer-fields.ts'
import type { RequestRun } from '../session/request-source.ts'
import type { Pace } from './adaptive-concurrency.ts'

/** How often a request that a server refused or left behind with a GOAWAY is sent again before the caller hears of it. */
const MAX_RESENDS = 2

const EMPTY = Buffer.alloc(0)

export interface BatchRunDeps {
  batch: Http2Batch
  wanted: WantedHeaders
  /** Told of each request in flight that ends. */
  pace: Pace
  /** By the pool's clock. */
  startedAtMs: number
  /** Requests that had been taken wait again. False where they may not: they fail. */
  onWaiting(run: BatchRun): boolean
}

export class BatchRun implements RequestRun {
  readonly batch: Http2Batch
  sharedFields: Buffer = EMPTY
  readonly wanted: WantedHeaders
  readonly startedAtMs: number
  /** Resolves when all requests are settled; rejects with what a callback threw. */
  readonly settled: Promise<void>
  readonly #pace: Pace
  readonly #onWaiting: (run: BatchRun) => boolean
  readonly #resends: number[] = []
  readonly #resendCounts = new Map<number, number>()
  #next = 0
  #unsettled: number
  #callerError: unknown
  #hasCallerError = false
  #settle: { resolve(): void; reject(error: unknown): void } | undefined

  constructor(deps: BatchRunDeps) {
    this.batch = deps.batch
    this.wanted = deps.wanted
    this.startedAtMs = deps.startedAtMs
    this.#pace = deps.pace
    this.#onWaiting = deps.onWaiting
    this.#unsettled = deps.batch.count
    this.settled = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
  }

  /** How many requests wait for a stream. */
  get waiting(): number {
    return this.batch.count - this.#next + this.#resends.length
  }

  /** The request to send next. Those that the caller withdrew fail on the way, which may leave none. */
  take(): number | undefined {
    while (this.waiting > 0) {
      const index = this.#takeAny()
      if (!this.batch.isWithdrawn?.(index)) return index
      this.#fail(index, new Http2Error('aborted', 'aborted'))
    }
    return undefined
  }

  /** Fails all that wait. */
  failWaiting(error: Http2Error): void {
    while (this.waiting > 0) this.#fail(this.#takeAny(), error)
  }

  answered(index: number, answer: Http2Answer): void {
    this.#pace.onAnswer(answer)
    try {
      this.batch.onAnswer(index, answer)
    } catch (error) {
      this.#onCallerError(error)
    }
    this.#onSettled()
  }

  failed(index: number, error: Http2Error): void {
    this.#pace.onFailure()
    const isLeft = error.code === 'goaway' || error.code === 'refused_stream'
    if (isLeft && error.kind === 'unsent' && this.#sendAgain(index)) return
    this.#fail(index, error)
  }

  #takeAny(): number {
    return this.#resends.pop() ?? this.#next++
  }

  #sendAgain(index: number): boolean {
    const count = this.#resendCounts.get(index) ?? 0
    if (count === MAX_RESENDS || this.batch.signal.aborted) return false
    this.#resends.push(index)
    if (!this.#onWaiting(this)) {
      this.#resends.pop()
      return false
    }
    this.#resendCounts.set(index, count + 1)
    return true
  }

  #fail(index: number, error: Http2Error): void {
    try {
      this.batch.onFailure(index, error)
    } catch (thrown) {
      this.#onCallerError(thrown)
    }
    this.#onSettled()
  }

  #onCallerError(error: unknown): void {
    if (this.#hasCallerError) return
    this.#hasCallerError = true
    this.#callerError = error
  }

  #onSettled(): void {
    if (--this.#unsettled > 0) return
    if (this.#hasCallerError) this.#settle?.reject(this.#callerError)
    else this.#settle?.resolve()
  }
}
