// The contract of this room: rate limits per key.
//
// A sliding window. A policy allows `rate` grants per key in any interval of `intervalMs`: each grant of a key is at
// least `intervalMs` later than the grant `rate` places before it. This holds across all workers, and for all policies
// of a call together: an ask that one policy refuses uses no grant of the others.
//
// A key keeps the times of its last grants, in the number and for the time that the widest policies of its calls need.
// So calls with different policies count each other's grants. The first call with a wider policy can count only the
// grants that were kept for the narrower ones. Older grants are forgotten, and so are keys without grants. All times
// are the store's clock. If it is set back, grants in its future count as granted now: a key is then limited for one
// more interval at most, and never grants more.
//
// An ask that was granted is granted again without a second grant, while its grant is kept. So a call that failed can
// be repeated, also by another worker after a crash.

import type { RatePolicy } from '../sends/rate-limit.ts'

/** A request for one grant. */
export interface Ask {
  /** The limited key, far below 2,000 bytes. Asks of one call may have the same key: they are granted in order. */
  key: string
  /** Distinguishes a repeated ask from a new ask of the same key: for a push, its send and its device. */
  id: string
}

/** The answer to one ask. */
export type Answer = (
  | {
      kind: 'granted'
      /** The time of the first grant, by the store's clock in Unix ms. */
      grantedAtMs: number
    }
  | {
      kind: 'limited'
      /**
       * Milliseconds until the ask can be granted, at least 1. Exact for the first limited ask of a key. For the asks
       * after it, it is the earliest time at which they can be granted if those before them are granted first.
       */
      waitMs: number
    }
) & {
  /** The time of the decision, by the store's clock in Unix ms. */
  decidedAtMs: number
}

/** The most asks in one call, so that a call does not block others. The stores are measured with this number. */
export const MAX_ASKS = 1000

/** Rate limits, on PostgreSQL or Redis. */
export interface RateLimiter {
  /**
   * Grants the asks that all policies allow; resolves to an answer for each ask, in their order. One round trip. A call
   * that rejects may have taken grants nevertheless, and may be repeated.
   * @throws RangeError without a policy, and for more than MAX_ASKS asks
   */
  take(asks: readonly Ask[], policies: readonly RatePolicy[]): Promise<Answer[]>

  /** Resolves to the milliseconds until a new ask of `key` would be granted; 0: at once. Takes no grant. */
  readWait(key: string, policies: readonly RatePolicy[]): Promise<number>
}
