// The circuit breaker of one origin. It stops requests to a server that does not work:
//
//   closed ──(only failures for `downAfterMs`)──▶ open ──(a request after `probeAtMs`)──▶ half-open
//   half-open ──(failure)──▶ open, with a longer pause       open ──(late answer)──▶ half-open
//   half-open ──(ANSWERS_TO_CLOSE answers, or STEADY_MS after the first one)──▶ closed
//
// A closed breaker that gets failures only, SUSPICIOUS_FAILURES of them, admits one request at a time, and after
// SUSPICIOUS_REQUESTS of them none until `downAfterMs` has passed. So an outage is noticed with few requests, and a
// server that cut all connections at once has its full load back with its first answer.
//
// One request, the probe, may be in flight when the breaker becomes half-open, and one more with each answer. Failures
// of requests that began before the last change to `open` say nothing new and are ignored.

/** The answers after which a half-open breaker closes: six round trips of a client that doubles its requests. */
const ANSWERS_TO_CLOSE = 64
/** A half-open breaker without a failure for this long after its first answer closes: there are few requests. */
const STEADY_MS = 10_000
/** Failures until the breaker opens. A single one may be the fault of its request. */
const FAILURES_TO_OPEN = 2
/** Failures in a row from which a server is suspicious, and the requests that it gets then. */
const SUSPICIOUS_FAILURES = 16
const SUSPICIOUS_REQUESTS = 32
/** A probe that was due for this long and not sent: no request waits, and the outage may be over. */
const STALE_MS = 60_000
/** The jitter of a pause, so that several processes do not send their probes together. */
const JITTER = 0.2
/** In a long outage the retries of single requests become rarer, one step each 500 s, up to this delay. */
const RETRY_STEP_MS = 500_000
const MAX_RETRY_MS = 600_000

/** The times of a breaker, in ms. */
export interface BreakerTiming {
  /** The breaker opens when nothing but failures came back for this long. */
  downAfterMs: number
  /** The pause before the first probe. It doubles with each failed probe. */
  firstProbeMs: number
  /** The longest pause before a probe, without its jitter of a fifth. */
  maxProbeMs: number
}

/** Probes are 1 s to 30 s apart. */
export const DEFAULT_BREAKER_TIMING: BreakerTiming = { downAfterMs: 3000, firstProbeMs: 1000, maxProbeMs: 25_000 }

/** A busy process may get no answer for this long, in ms. */
const MIN_DOWN_AFTER_MS = 300

/** The default times, each multiplied by `scale`. */
export function scaleTiming(scale: number): BreakerTiming {
  const { downAfterMs, firstProbeMs, maxProbeMs } = DEFAULT_BREAKER_TIMING
  return {
    downAfterMs: Math.max(downAfterMs * scale, MIN_DOWN_AFTER_MS),
    firstProbeMs: firstProbeMs * scale,
    maxProbeMs: maxProbeMs * scale,
  }
}

/** Events of a breaker. */
export interface BreakerEvents {
  /** The breaker opened, also after a failed probe. `cause`: a code, such as `ECONNREFUSED` or `timeout`. */
  onOpen(cause: string): void
  /** The first answer after an outage. */
  onAnswered(): void
}

/** Options of a breaker. */
export interface BreakerOptions {
  /** The answers after which a half-open breaker closes. */
  answersToClose?: number
}

/** The parts of a breaker. All are optional. */
export interface BreakerDeps extends BreakerOptions {
  timing?: BreakerTiming
  events?: BreakerEvents
  /** A monotonic clock, in ms. */
  nowMs?: () => number
  /** Returns a number from 0 to 1, as Math.random does. */
  random?: () => number
}

/** Counts the failures of one server, and decides how many requests it gets. */
export class CircuitBreaker {
  readonly #timing: BreakerTiming
  readonly #events: BreakerEvents | undefined
  readonly #nowMs: () => number
  readonly #random: () => number
  readonly #answersToClose: number
  #state: 'closed' | 'open' | 'half-open' = 'closed'
  #failures = 0
  /** Requests that began while the server was suspicious. */
  #suspiciousRequests = 0
  /** The begin of the time with failures only. */
  #failingSinceMs = 0
  #lastAnswerAtMs: number
  /** The begin of the outage, and of the time since its end. */
  #downSinceMs = 0
  #upSinceMs: number
  /** The time of the last change to `open`. */
  #openedAtMs = 0
  #probeAtMs = 0
  #failedProbes = 0
  /** Answers since the breaker is half-open, and the time of the first one. */
  #answers = 0
  #firstAnswerAtMs = 0

  constructor(deps: BreakerDeps = {}) {
    this.#timing = deps.timing ?? DEFAULT_BREAKER_TIMING
    this.#events = deps.events
    this.#nowMs = deps.nowMs ?? (() => performance.now())
    this.#random = deps.random ?? Math.random
    this.#answersToClose = deps.answersToClose ?? ANSWERS_TO_CLOSE
    this.#lastAnswerAtMs = this.#nowMs()
    this.#upSinceMs = this.#lastAnswerAtMs
  }

  /** No outage is known: requests are sent without a limit, and a failed attempt counts. */
  get isClosed(): boolean {
    this.#closeIfSteady()
    return this.#state === 'closed'
  }

  /** A request may begin: the breaker is not open, or a probe is due. */
  get admits(): boolean {
    return this.#state !== 'open' || this.#nowMs() >= this.#probeAtMs
  }

  /** Nothing but failures come back, and requests wait for the end of that. */
  get isDown(): boolean {
    if (this.#state === 'closed' || this.#answers > 0) return false
    return this.#nowMs() - this.#probeAtMs < STALE_MS
  }

  /** Ms since the end of the last outage, or since the breaker was made; 0 in an outage. */
  get upForMs(): number {
    return this.isClosed ? this.#nowMs() - this.#upSinceMs : 0
  }

  /**
   * A delay in ms for a request that failed or was not sent during an outage. It changes with failed probes only, so
   * that requests with the same delay can be stored together.
   */
  get retryDelayMs(): number {
    const outageMs = Math.max(0, this.#openedAtMs - this.#downSinceMs)
    const steps = Math.max(1, Math.floor(outageMs / RETRY_STEP_MS))
    return Math.min(this.#pauseMs * steps, MAX_RETRY_MS)
  }

  /** Requests that may be in flight together. */
  get allowance(): number {
    this.#closeIfSteady()
    if (this.#state === 'closed') return this.#failures < SUSPICIOUS_FAILURES ? Number.POSITIVE_INFINITY : this.#trickle
    return this.#state === 'open' ? 0 : 1 + this.#answers
  }

  /** Asks for a request to begin. False in an outage before the next probe. */
  admit(): boolean {
    if (!this.admits) return false
    if (this.#state === 'open') this.#halfOpen()
    return true
  }

  /** A request began. */
  onOpened(): void {
    if (this.#state === 'closed' && this.#failures >= SUSPICIOUS_FAILURES) this.#suspiciousRequests++
  }

  /** The server answered and works. @param atMs the time of the breaker's clock; the present unless given */
  onAnswer(atMs = this.#nowMs()): void {
    this.#lastAnswerAtMs = atMs
    this.#failures = 0
    this.#suspiciousRequests = 0
    if (this.#state === 'closed') return
    if (this.#state === 'open') this.#halfOpen()
    this.#answers++
    if (this.#answers === 1) {
      this.#firstAnswerAtMs = this.#lastAnswerAtMs
      this.#events?.onAnswered()
    }
    if (this.#answers >= this.#answersToClose) this.#close()
  }

  /**
   * A request failed, or its answer shows that the server does not work.
   * @param startedAtMs the time of the breaker's clock at which the request began; the present unless given
   */
  onFailure(cause: string, startedAtMs = this.#nowMs()): void {
    this.#closeIfSteady()
    if (this.#state === 'closed') this.#onFailureWhileClosed(cause, startedAtMs)
    else if (this.#state === 'half-open' && startedAtMs >= this.#openedAtMs) {
      this.#failedProbes++
      this.#open(cause)
    }
  }

  #onFailureWhileClosed(cause: string, startedAtMs: number): void {
    const nowMs = this.#nowMs()
    if (this.#failures === 0) this.#failingSinceMs = Math.max(startedAtMs, this.#lastAnswerAtMs)
    this.#failures++
    if (this.#failures < FAILURES_TO_OPEN || nowMs - this.#failingSinceMs < this.#timing.downAfterMs) return
    this.#downSinceMs = this.#failingSinceMs
    this.#failedProbes = 0
    this.#open(cause)
  }

  /** Probes are apart from begin to begin, so that a time-out does not add to the pause. */
  #open(cause: string): void {
    const nowMs = this.#nowMs()
    const sinceProbeMs = this.#state === 'half-open' ? nowMs - this.#probeAtMs : 0
    const pauseMs = Math.max(this.#pauseMs - sinceProbeMs, this.#timing.firstProbeMs)
    this.#state = 'open'
    this.#openedAtMs = nowMs
    this.#answers = 0
    this.#probeAtMs = nowMs + pauseMs * (1 + this.#random() * JITTER)
    this.#events?.onOpen(cause)
  }

  /** Requests of a suspicious server that may be in flight. The last one decides whether the breaker opens. */
  get #trickle(): number {
    if (this.#suspiciousRequests < SUSPICIOUS_REQUESTS) return 1
    return this.#nowMs() - this.#failingSinceMs >= this.#timing.downAfterMs ? 1 : 0
  }

  get #pauseMs(): number {
    return Math.min(this.#timing.maxProbeMs, this.#timing.firstProbeMs * 2 ** Math.min(this.#failedProbes, 20))
  }

  #halfOpen(): void {
    this.#state = 'half-open'
    this.#answers = 0
    this.#probeAtMs = this.#nowMs()
  }

  #closeIfSteady(): void {
    if (this.#state !== 'half-open' || this.#answers === 0) return
    if (this.#nowMs() - this.#firstAnswerAtMs >= STEADY_MS) this.#close()
  }

  #close(): void {
    this.#state = 'closed'
    this.#failures = 0
    this.#suspiciousRequests = 0
    this.#upSinceMs = this.#nowMs()
  }
}
