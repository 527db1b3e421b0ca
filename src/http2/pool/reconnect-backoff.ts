import type { Http2Timing } from '../http2-timing.ts'

/**
 * When the next connection may be opened: at once as a rule; after connections that were of no use (refused, or greeted
 * and closed) later and later, so that a server in trouble is not hammered.
 */
export class ReconnectDelay {
  readonly #timing: Http2Timing
  #failures = 0
  #readyAtMs = 0

  constructor(deps: { timing: Http2Timing }) {
    this.#timing = deps.timing
  }

  /** The last connection was of no use: one is tried at a time. */
  get isFailing(): boolean {
    return this.#failures > 0
  }

  /** How long to wait yet. */
  leftMs(nowMs: number): number {
    return Math.max(0, this.#readyAtMs - nowMs)
  }

  onUseful(): void {
    this.#failures = 0
    this.#readyAtMs = 0
  }

  onUseless(nowMs: number): void {
    // Several that were opened together and fail together are one failure.
    if (nowMs < this.#readyAtMs) return
    const { reconnectMinMs, reconnectMaxMs } = this.#timing
    const delayMs = Math.min(reconnectMaxMs, reconnectMinMs * 2 ** this.#failures)
    this.#failures = Math.min(this.#failures + 1, 20)
    // Between a half and the whole: many processes must not come back in step.
    this.#readyAtMs = nowMs + delayMs * (0.5 + Math.random() / 2)
  }
}
