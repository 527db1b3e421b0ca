// The overload limit of a push method. Beyond its saturation a process would collect calls, and each call would take
// longer than the one before. By Little's law a call takes n / r seconds when n calls are in progress and r of them end
// in a second. So the limit is the number with which calls take TARGET_MS at the measured rate:
//
//   open ──(calls of a window took SLOW_MS on average)──▶ limited to rate × TARGET_MS, by each window anew
//   open, limited ──(no call ended for TARGET_MS)──▶ limited to MIN_CALLS
//   limited ──(calls of a window were faster, or no call is in progress)──▶ open
//
// Calls also wait in their sockets while the process reads others. Node reads all sockets with data in one turn of the
// event loop. One long turn is a burst, which is accepted. In long turns one after another, the calls that come later
// than MAX_TURN_MS are refused, apart from the first MIN_CALLS.
//
// A rate is only measured while calls are in progress. While they are fast, more of them may raise the rate, so that it
// says nothing about the limit: a burst after a quiet time is accepted.
import { ApiError } from '../protocol/errors.ts'

/** The time of a call at the limit, in ms. It leaves room for errors of the rate: answers come within a second. */
const TARGET_MS = 600
/** From this mean on, calls wait for each other, so that their rate is that of the saturation; in ms. */
const SLOW_MS = 100
/** The time in which a mean and a rate are measured, in ms. */
const WINDOW_MS = 100
/** The share of the last window in the rate. Calls that share a transaction end together, which is noise. */
const NEW_SHARE = 0.5
/** So many calls are always accepted: slow ones, such as searches in analytics, may take longer than the target. */
const MIN_CALLS = 32
/** The most calls in progress, also in the first moment of an overload: a bound of the memory. */
const MAX_CALLS = 1000
/** The time after which a turn of the event loop is long, in ms. */
const MAX_TURN_MS = TARGET_MS / 2
const RETRY_SECONDS = 1

/** The process has too many calls of the method. The caller gets error 100 with `Retry-After`. */
export class OverloadError extends ApiError {
  constructor() {
    super('internal', 'overload: too many calls in progress', { retryAfterSeconds: RETRY_SECONDS })
  }
}

/** Limits the calls in progress of one method. */
export class OverloadLimit {
  readonly #now: () => number
  #inProgress = 0
  #maxCalls = MAX_CALLS
  #window = { startMs: 0, ended: 0, sumMs: 0 }
  /** Ended calls in a ms; undefined until the first window since the process was idle. */
  #rate: number | undefined

  /** @param now a monotonic clock in ms */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Whether another call would be refused. */
  get isReached(): boolean {
    this.#adapt(this.#now())
    return this.#inProgress >= this.#maxCalls
  }

  /** Counts a call until it has settled; it is not refused here. */
  async count<T>(call: () => Promise<T>): Promise<T> {
    const startMs = this.#now()
    if (this.#inProgress === 0) this.#open(startMs)
    this.#inProgress++
    try {
      return await call()
    } finally {
      this.#inProgress--
      this.#window.ended++
      this.#window.sumMs += this.#now() - startMs
    }
  }

  #open(nowMs: number): void {
    this.#maxCalls = MAX_CALLS
    this.#rate = undefined
    this.#startWindow(nowMs)
  }

  #startWindow(nowMs: number): void {
    this.#window = { startMs: nowMs, ended: 0, sumMs: 0 }
  }

  #adapt(nowMs: number): void {
    const { startMs, ended, sumMs } = this.#window
    const durationMs = nowMs - startMs
    if (durationMs < WINDOW_MS) return
    if (ended === 0) {
      if (durationMs >= TARGET_MS) this.#maxCalls = MIN_CALLS
      return
    }
    const rate = ended / durationMs
    this.#rate = this.#rate === undefined ? rate : this.#rate + (rate - this.#rate) * NEW_SHARE
    const isSlow = sumMs / ended >= SLOW_MS
    this.#maxCalls = isSlow ? Math.min(MAX_CALLS, Math.max(MIN_CALLS, this.#rate * TARGET_MS)) : MAX_CALLS
    this.#startWindow(nowMs)
  }
}

/** The overload limits of all push methods. Each has its own, so that calls of slow methods do not keep out others. */
export class OverloadLimits {
  readonly #limits = new Map<string, OverloadLimit>()
  readonly #onRefused: (method: string) => void
  readonly #now: () => number
  /** The time of the first call of the turn, and the number of calls; undefined before it. */
  #turn: { startMs: number; calls: number } | undefined
  /** The end of the last long turn. */
  #longTurnEndMs = Number.NEGATIVE_INFINITY

  /** @param onRefused called for each refused call @param now a monotonic clock in ms */
  constructor(onRefused: (method: string) => void, now: () => number = () => performance.now()) {
    this.#onRefused = onRefused
    this.#now = now
  }

  /** Checks whether a call of `method` can be accepted, before its body is read. @throws OverloadError */
  check(method: string): void {
    if (!this.#isLateInTurn() && !this.#of(method).isReached) return
    this.#onRefused(method)
    throw new OverloadError()
  }

  /** Runs a call that was checked. */
  run<T>(method: string, call: () => Promise<T>): Promise<T> {
    return this.#of(method).count(call)
  }

  #isLateInTurn(): boolean {
    const nowMs = this.#now()
    if (this.#turn) {
      const isLong = nowMs - this.#turn.startMs > MAX_TURN_MS
      return ++this.#turn.calls > MIN_CALLS && isLong && this.#turn.startMs - this.#longTurnEndMs < TARGET_MS
    }
    const turn = { startMs: nowMs, calls: 1 }
    this.#turn = turn
    setImmediate(() => {
      this.#turn = undefined
      const endMs = this.#now()
      if (endMs - turn.startMs > MAX_TURN_MS) this.#longTurnEndMs = endMs
    })
    return false
  }

  #of(method: string): OverloadLimit {
    const known = this.#limits.get(method)
    if (known) return known
    const limit = new OverloadLimit(this.#now)
    this.#limits.set(method, limit)
    return limit
  }
}
