// The door of this room: how often something may happen per key.
//
// A sliding window. A policy allows `rate` grants per key in any interval of `intervalMs`: of any grants of a key, the
// one `rate` places further on came at least `intervalMs` later. That is the promise, whoever asks, from however many
// workers, and for every policy of a call at once: an ask that one of them refuses costs nothing.
//
// A key remembers the times of its last grants, as many and for as long as the widest policies need that it was asked
// for with; so calls with different policies count each other's grants. (The first call with a wider policy can only
// count what the narrower ones had kept.) Older grants, and keys without any, are forgotten by themselves. All times
// are the store's clock. Should that be set back, grants that lie in its future count as of now: a key is held up by
// its interval at most, and never grants more.
//
// An ask that was granted is granted again, at no cost, for as long as its grant is remembered: a call that failed
// halfway, and one by the worker that takes over from a dead one, may just be made again.

import type { RatePolicy } from '../sends/rate-limit.ts'

/** What wants to happen once. */
export interface Ask {
  /** What is limited, well below 2,000 bytes. Asks of one call may share it: they are granted in their order. */
  key: string
  /** Tells an ask that is repeated from a new one of the same key: for a push, its send and its device. */
  id: string
}

/** The answer to one ask. */
export type Answer = (
  | {
      kind: 'granted'
      /** When it was granted first, by the store's clock in Unix ms. */
      grantedAtMs: number
    }
  | {
      kind: 'limited'
      /**
       * Milliseconds after which asking again makes sense, at least 1. Exact for the first limited ask of a key; those
       * after it are told when the policies let them through behind it at the earliest.
       */
      waitMs: number
    }
) & {
  /** When this answer was found, by the store's clock in Unix ms. */
  decidedAtMs: number
}

/** The most asks in one call: what the stores were measured with, and what keeps one from holding others up. */
export const MAX_ASKS = 1000

export interface RateLimiter {
  /**
   * Grants what all of `policies` allow and answers each ask, in their order; one round trip. A call that rejects may
   * have granted all the same, and may be repeated.
   * @throws RangeError without a policy, and for more than MAX_ASKS asks
   */
  take(asks: readonly Ask[], policies: readonly RatePolicy[]): Promise<Answer[]>

  /** Milliseconds until a new ask of `key` would be granted, 0 for at once. Only looks. */
  readWait(key: string, policies: readonly RatePolicy[]): Promise<number>
}
