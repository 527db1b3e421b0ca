// A batch that is not complete: its queued requests, its requests to send again, and the number of incomplete ones. The
// states of each request are
//
//   queued ──take()──▶ in flight ──(answer | failure)──▶ completed
//      ▲                   │
//      └───────────────────┘ refused, left unprocessed by GOAWAY or interrupted, at most MAX_RESENDS times
import type { Http2Answer, Http2Batch } from '../http2-client.ts'
import { Http2Error } from '../http2-error.ts'
import type { WantedHeaders } from '../session/answer-fields.ts'
import type { RequestSource } from '../session/request-source.ts'
import type { Admission } from './admission.ts'

/** Times that a request is sent again after it was certainly not processed. */
const MAX_RESENDS = 2
/** The server refused the request or left it unprocessed, or it was interrupted before its body was complete. */
const UNPROCESSED: ReadonlySet<string> = new Set(['goaway', 'refused_stream', 'interrupted'])

const EMPTY = Buffer.alloc(0)

/** A batch, and the parts of the pool that its requests use. */
export interface PendingBatchDeps {
  batch: Http2Batch
  /** The headers to read from answers. */
  wanted: WantedHeaders
  /** Gets the end of each request in flight. */
  admission: Admission
  /** Time of `send` by the pool's clock. */
  startedAtMs: number
  /** Queues the batch again for requests to send again. False when the pool is closed: the requests then fail. */
  requeue(batch: PendingBatch): boolean
  /** Called when all requests are complete. */
  onEnd(batch: PendingBatch): void
}

/** Hands out the requests of a batch, and reports each answer or failure to the batch's callbacks exactly once. */
export class PendingBatch implements RequestSource {
  readonly batch: Http2Batch
  /** Set it before the batch is queued. */
  sharedFields: Buffer = EMPTY
  readonly wanted: WantedHeaders
  readonly startedAtMs: number
  /** Resolves when all requests are complete. Rejects then with the first error that a callback threw. */
  readonly completed: Promise<void>
  readonly #admission: Admission
  readonly #requeue: PendingBatchDeps['requeue']
  readonly #onEnd: PendingBatchDeps['onEnd']
  readonly #resends: number[] = []
  /** By the index of the request; undefined until one is sent again. */
  #resendCounts: Map<number, number> | undefined
  #next = 0
  #incomplete: number
  #callerError: unknown
  #hasCallerError = false
  #completion: { resolve(): void; reject(error: unknown): void } | undefined

  constructor(deps: PendingBatchDeps) {
    this.batch = deps.batch
    this.wanted = deps.wanted
    this.startedAtMs = deps.startedAtMs
    this.#admission = deps.admission
    this.#requeue = deps.requeue
    this.#onEnd = deps.onEnd
    this.#incomplete = deps.batch.count
    this.completed = new Promise((resolve, reject) => {
      this.#completion = { resolve, reject }
    })
  }

  /** Number of queued requests. */
  get queued(): number {
    return this.batch.count - this.#next + this.#resends.length
  }

  /** Whether requests may be sent at a time of the pool's clock. */
  isConfirmed(nowMs: number): boolean {
    const { confirmation } = this.batch
    return confirmation === undefined || nowMs <= confirmation.untilMs
  }

  /** The index of the next request to send. Withdrawn requests fail, so none may be left: then undefined. */
  take(): number | undefined {
    while (this.queued > 0) {
      const index = this.#takeAny()
      if (!this.batch.isWithdrawn?.(index)) return index
      this.#fail(index, new Http2Error('aborted', 'aborted'))
    }
    return undefined
  }

  /** Fails the queued requests that are withdrawn. */
  dropWithdrawn(): void {
    const kept: number[] = []
    while (this.queued > 0) {
      const index = this.#takeAny()
      if (this.batch.isWithdrawn?.(index)) this.#fail(index, new Http2Error('aborted', 'aborted'))
      else kept.push(index)
    }
    // The last one of these is taken first.
    this.#resends.push(...kept.reverse())
  }

  /** Fails all queued requests. */
  failQueued(error: Http2Error): void {
    while (this.queued > 0) this.#fail(this.#takeAny(), error)
  }

  answered(index: number, answer: Http2Answer): void {
    this.#admission.onAnswer(answer, this.startedAtMs)
    try {
      this.batch.onAnswer(index, answer)
    } catch (error) {
      this.#onCallerError(error)
    }
    this.#onCompleted()
  }

  failed(index: number, error: Http2Error): void {
    this.#admission.onFailure(error, this.startedAtMs)
    if (UNPROCESSED.has(error.code) && error.kind === 'unsent' && this.#sendAgain(index)) return
    this.#fail(index, error)
  }

  #takeAny(): number {
    return this.#resends.pop() ?? this.#next++
  }

  #sendAgain(index: number): boolean {
    const count = this.#resendCounts?.get(index) ?? 0
    if (count === MAX_RESENDS || this.batch.signal.aborted) return false
    this.#resends.push(index)
    if (!this.#requeue(this)) {
      this.#resends.pop()
      return false
    }
    this.#resendCounts ??= new Map()
    this.#resendCounts.set(index, count + 1)
    return true
  }

  #fail(index: number, error: Http2Error): void {
    try {
      this.batch.onFailure(index, error)
    } catch (thrown) {
      this.#onCallerError(thrown)
    }
    this.#onCompleted()
  }

  #onCallerError(error: unknown): void {
    if (this.#hasCallerError) return
    this.#hasCallerError = true
    this.#callerError = error
  }

  #onCompleted(): void {
    if (--this.#incomplete > 0) return
    this.#onEnd(this)
    if (this.#hasCallerError) this.#completion?.reject(this.#callerError)
    else this.#completion?.resolve()
  }
}
