import type { Http2Timing } from '../http2-timing.ts'

/**
 * Delays the next connection after useless ones: those that were refused, or closed soon and without an answer. The
 * delay grows exponentially, so that a server in trouble gets few connections.
 */
export class ReconnectBackoff {
  readonly #timing: Http2Timing
  #failures = 0
  #readyAtMs = 0

  constructor(deps: { timing: Http2Timing }) {
    this.#timing = deps.timing
  }

  /** The last connection was useless: open one at a time. */
  get isFailing(): boolean {
    return this.#failures > 0
  }

  /** Time until the next connection may be opened; 0 when it may be opened now. */
  remainingMs(nowMs: number): number {
    return Math.max(0, this.#readyAtMs - nowMs)
  }

  /** A connection was useful: ends the backoff. */
  onUseful(): void {
    this.#failures = 0
    this.#readyAtMs = 0
  }

  /** A connection was useless: begins or increases the delay. */
  onUseless(nowMs: number): void {
    // Connections that were opened together and fail together count as one failure.
    if (nowMs < this.#readyAtMs) return
    const { reconnectMinMs, reconnectMaxMs } = this.#timing
    const delayMs = Math.min(reconnectMaxMs, reconnectMinMs * 2 ** this.#failures)
    this.#failures = Math.min(this.#failures + 1, 20)
    // Random between half and all of it, so that processes do not reconnect at the same time.
    this.#readyAtMs = nowMs + delayMs * (0.5 + Math.random() / 2)
  }
}
