import { ERROR } from '../frames/frame-constants.ts'
import { ProtocolViolation } from '../frames/protocol-violation.ts'

/** Size of the bucket: a server may send a backlog of control frames at once. */
const BURST = 4000
/** Tokens per second without answers: Google's servers send PING and WINDOW_UPDATE many times a second. */
const PER_SECOND = 1000
/** Tokens per answer: two WINDOW_UPDATE, a PING, and a reserve. */
const PER_ANSWER = 8

/**
 * A token bucket against floods of frames that complete no answer (RFC 9113 section 10.5): PING, SETTINGS, PRIORITY,
 * WINDOW_UPDATE, empty DATA and CONTINUATION, informational answers, frames on closed streams and of unknown types.
 */
export class FloodGuard {
  #tokens = BURST
  #refilledAtMs = 0

  /** Counts one such frame. @throws ProtocolViolation when the bucket is empty */
  consume(): void {
    if (--this.#tokens < 0) throw new ProtocolViolation(ERROR.enhanceYourCalm, 'too many frames without an answer')
  }

  /** Adds the tokens of a completed answer. */
  onAnswer(): void {
    this.#tokens = Math.min(BURST, this.#tokens + PER_ANSWER)
  }

  /** Adds the tokens of the time since the last call. Call it at least once a second, with a monotonic time. */
  refill(nowMs: number): void {
    const elapsedMs = Math.min(1000, nowMs - this.#refilledAtMs)
    this.#tokens = Math.min(BURST, this.#tokens + (elapsedMs * PER_SECOND) / 1000)
    this.#refilledAtMs = nowMs
  }
}
