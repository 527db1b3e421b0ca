// Decides when a target gets another attempt and when it is given up. Delays follow the rules of the providers.
import type { Outcome } from '../providers/provider.ts'

type RetryOutcome = Extract<Outcome, { kind: 'retry' | 'credential' }>

/** The first delay if the provider asks for none, in ms. Short, because most of these are failed connections. */
const FIRST_DELAY_MS = 1000
/** The longest jitter of a delay, in ms. */
const MAX_DELAY_MS = 10 * 60_000
/**
 * In ms since the first attempt: an older push is outdated. The time is longer after a refused credential, so that the
 * operator can replace it.
 */
const GIVE_UP_AFTER_MS = 3_600_000
const GIVE_UP_CREDENTIAL_AFTER_MS = 24 * 3_600_000
/** Each ambiguous attempt may have reached the device. */
const MAX_AMBIGUOUS_ATTEMPTS = 5

/** The attempts of a target so far, by the queue's clock. */
export interface Attempts {
  /** The number of this attempt, from 1. */
  attempt: number
  /** Milliseconds since the first attempt. */
  ageMs: number
  /** Milliseconds until the send expires; undefined: it does not expire. */
  expiresInMs: number | undefined
  /** The number of ambiguous attempts, this one included. */
  ambiguousAttempts: number
}

/** The parameters of all delays. */
export interface RetryPolicyOptions {
  /** A factor of every delay; 1 except in tests. */
  scale: number
  /** Returns a number from 0 to 1, as Math.random does. */
  random: () => number
}

/** 'expired': the send expires before the next attempt. 'givenUp': the target gets no further attempt. */
export type RetryPlan = { kind: 'retry'; delayMs: number } | { kind: 'expired' } | { kind: 'givenUp' }

/** Plans the next attempt of a target after one without a final outcome. */
export function planRetry(outcome: RetryOutcome, attempts: Attempts, { scale, random }: RetryPolicyOptions): RetryPlan {
  if (attempts.ambiguousAttempts >= MAX_AMBIGUOUS_ATTEMPTS) return { kind: 'givenUp' }
  // A refused credential pauses the provider, so its next probe decides on the time of the retry.
  const delayMs = outcome.kind === 'credential' ? 0 : backoff(outcome, attempts.attempt, random)
  if (attempts.expiresInMs !== undefined) {
    return delayMs > attempts.expiresInMs ? { kind: 'expired' } : { kind: 'retry', delayMs: delayMs * scale }
  }
  const giveUpAfterMs = outcome.kind === 'credential' ? GIVE_UP_CREDENTIAL_AFTER_MS : GIVE_UP_AFTER_MS
  return delayMs > giveUpAfterMs - attempts.ageMs ? { kind: 'givenUp' } : { kind: 'retry', delayMs: delayMs * scale }
}

/**
 * Full jitter above the least delay that the provider asks for, so that simultaneous failures are not retried together.
 */
function backoff(outcome: Extract<Outcome, { kind: 'retry' }>, attempt: number, random: () => number): number {
  const least = Math.max(outcome.afterMs ?? 0, outcome.minDelayMs ?? 0)
  const base = outcome.minDelayMs ?? FIRST_DELAY_MS
  return least + random() * Math.min(base * 2 ** (attempt - 1), MAX_DELAY_MS)
}
