import type { Http2Timing } from '../http2-timing.ts'

/** Time for the peer to close its side after the last stream ended, or to answer after a GOAWAY with an error. */
const CLOSE_GRACE_MS = 1_000
/** A connection that was open for this long was useful, even without an answer. */
const MIN_USEFUL_MS = 5_000

/** When a connection must act: the times of its last events, and the time-outs that begin with them. */
export class ConnectionDeadlines {
  /** Last time that a request was opened. */
  usedAtMs: number
  /** Last time that bytes were received. */
  receivedAtMs: number
  /** Last time that a PING was sent. */
  pingedAtMs = 0
  readonly #timing: Http2Timing
  readonly #createdAtMs: number
  #destroyAtMs = Number.POSITIVE_INFINITY

  constructor(deps: { timing: Http2Timing; nowMs: number }) {
    this.#timing = deps.timing
    this.#createdAtMs = deps.nowMs
    this.usedAtMs = deps.nowMs
    this.receivedAtMs = deps.nowMs
  }

  /** The connection must be destroyed after a grace period. A later call never extends the period. */
  limitGrace(nowMs: number): void {
    this.#destroyAtMs = Math.min(this.#destroyAtMs, nowMs + CLOSE_GRACE_MS)
  }

  /** The grace period has ended. */
  isGraceOver(nowMs: number): boolean {
    return nowMs >= this.#destroyAtMs
  }

  /** SETTINGS should have arrived by now. */
  isConnectOverdue(nowMs: number): boolean {
    return nowMs - this.#createdAtMs >= this.#timing.connectTimeoutMs
  }

  /** The answer to the PING should have arrived by now. */
  isPingOverdue(nowMs: number): boolean {
    return nowMs - this.pingedAtMs >= this.#timing.pingTimeoutMs
  }

  /** No bytes were received for `idlePingMs`. */
  isSilent(nowMs: number): boolean {
    return nowMs - this.receivedAtMs >= this.#timing.idlePingMs
  }

  /** No request was opened for `idleCloseMs`. */
  isUnused(nowMs: number): boolean {
    return nowMs - this.usedAtMs >= this.#timing.idleCloseMs
  }

  /** The connection was created long enough ago to count as useful. */
  isOld(nowMs: number): boolean {
    return nowMs - this.#createdAtMs >= MIN_USEFUL_MS
  }
}
