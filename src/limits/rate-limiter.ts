// Rate limits per key: the contract of this room. A grant is the permission to send one push, an ask a request for a
// grant.
//
// The limit is a sliding window. A policy allows `rate` grants for a key in any interval of `intervalMs`: each grant is
// at least `intervalMs` later than the `rate`th grant before it. This holds across all workers. A call with several
// policies grants an ask only if all of them allow it; a refused ask uses no grant of any policy.
//
// For each key the times of its last grants are kept: as many as the largest `rate` and for as long as the largest
// `intervalMs` of the policies that were used with the key. So calls with different policies count each other's grants.
// The first call with a larger policy can count only the grants that were kept until then. Older grants are forgotten,
// and so are keys without grants. All times are those of the store's clock. If the clock is set back, grants dated
// after the new time count as granted now: the limit is never exceeded, and the key may wait for one more interval.
//
// Each ask has an id. A repeated ask succeeds without a second grant, as long as its first grant is kept. So a failed
// call can be repeated, also by another worker after a crash.

import type { RatePolicy } from '../sends/rate-limit.ts'

/** A request for one grant, the permission to send one push. */
export interface Ask {
  /**
   * The limited key, far below 2,000 bytes. Asks of one call may have the same key; they are granted in their order.
   */
  key: string
  /**
   * Identifies the ask, so that a repeated one gets no second grant. For a push it is made of its send and its device.
   */
  id: string
}

/** The answer to one ask. */
export type Answer = (
  | {
      kind: 'granted'
      /** The time at which the ask was first granted, by the store's clock in Unix ms. */
      grantedAtMs: number
    }
  | {
      kind: 'limited'
      /**
       * Milliseconds until the ask can be granted, at least 1. Exact for the first ask of a key that was refused. For
       * later ones it is the earliest time, if those before them are granted first.
       */
      waitMs: number
    }
) & {
  /** The time at which the store decided about the ask, in Unix ms of the store's clock. */
  decidedAtMs: number
}

/**
 * The most asks in one call, so that a call does not block others for long. The stores are measured with this number.
 */
export const MAX_ASKS = 1000

/** Rate limits, on PostgreSQL or Redis. */
export interface RateLimiter {
  /**
   * Grants the asks that all policies allow. Resolves to an answer for each ask, in their order, after one round trip.
   * A call that rejects may have taken grants nevertheless, and may be repeated.
   * @throws RangeError if there is no policy, or more than MAX_ASKS asks
   */
  take(asks: readonly Ask[], policies: readonly RatePolicy[]): Promise<Answer[]>

  /** Resolves to the milliseconds until a new ask for `key` would be granted, 0 if at once. Takes no grant. */
  readWait(key: string, policies: readonly RatePolicy[]): Promise<number>
}
