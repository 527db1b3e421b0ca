import { ERROR } from '../frames/frame-constants.ts'
import { ProtocolViolation } from '../frames/protocol-violation.ts'

/** Frames that bring no answer further, allowed at once; a server may have kept them back for a while. */
const BURST = 4000
/** Allowed again per second without an answer: Google's servers ping and update windows many times a second. */
const PER_SECOND = 1000
/** Allowed again per answer: two window updates, a ping, and some to spare. */
const PER_ANSWER = 8

/**
 * Ends a connection whose peer keeps us busy for nothing: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty DATA and
 * CONTINUATION, informational answers, frames for streams that are closed, frames of unknown types.
 */
export class FloodGuard {
  #left = BURST
  #refilledAtMs = 0

  /** @throws ProtocolViolation when it was one frame too many */
  spend(): void {
    if (--this.#left < 0) throw new ProtocolViolation(ERROR.enhanceYourCalm, 'too many frames for nothing')
  }

  onAnswer(): void {
    this.#left = Math.min(BURST, this.#left + PER_ANSWER)
  }

  /** Call it now and then with a time that only grows. */
  refill(nowMs: number): void {
    const elapsedMs = Math.min(1000, nowMs - this.#refilledAtMs)
    this.#left = Math.min(BURST, this.#left + (elapsedMs * PER_SECOND) / 1000)
    this.#refilledAtMs = nowMs
  }
}
