// When a target gets another attempt, and when it is given up. The delays are those that the providers ask for.
import type { Outcome } from '../providers/provider.ts'

type RetryOutcome = Extract<Outcome, { kind: 'retry' | 'credential' }>

/** First delay where the provider names none: a connection that failed is worth trying again soon. */
const FIRST_DELAY_MS = 1000
/** Growing delays stop growing here. */
const MAX_DELAY_MS = 10 * 60_000
/** A push that is late by an hour is no longer news, unless the operator was told of a credential to mend. */
const GIVE_UP_AFTER_MS = 3_600_000
const GIVE_UP_CREDENTIAL_AFTER_MS = 24 * 3_600_000
/** Attempts whose answer never came may each have reached the phone. */
const MAX_AMBIGUOUS_ATTEMPTS = 5

/** What was tried so far, by the queue's clock. */
export interface Attempts {
  /** This attempt's number, from 1. */
  attempt: number
  /** Since the first attempt. */
  ageMs: number
  /** Until the send expires; undefined when the caller set no time. */
  expiresInMs: number | undefined
  /** Attempts, this one included, that may have been delivered. */
  ambiguousAttempts: number
}

export interface RetryPolicyOptions {
  /** Multiplies every delay; 1 outside of tests. */
  scale: number
  /** From 0 to 1, as Math.random. */
  random: () => number
}

/** 'expired': the send's own time is over before the next attempt. 'givenUp': ours is. */
export type RetryPlan = { kind: 'retry'; delayMs: number } | { kind: 'expired' } | { kind: 'givenUp' }

/** What to do with a target after an attempt that did not settle it. */
export function planRetry(outcome: RetryOutcome, attempts: Attempts, { scale, random }: RetryPolicyOptions): RetryPlan {
  if (attempts.ambiguousAttempts >= MAX_AMBIGUOUS_ATTEMPTS) return { kind: 'givenUp' }
  // A refused credential pauses the provider, and the pause says when to try again.
  const delayMs = outcome.kind === 'credential' ? 0 : backoff(outcome, attempts.attempt, random)
  if (attempts.expiresInMs !== undefined) {
    return delayMs > attempts.expiresInMs ? { kind: 'expired' } : { kind: 'retry', delayMs: delayMs * scale }
  }
  const giveUpAfterMs = outcome.kind === 'credential' ? GIVE_UP_CREDENTIAL_AFTER_MS : GIVE_UP_AFTER_MS
  return delayMs > giveUpAfterMs - attempts.ageMs ? { kind: 'givenUp' } : { kind: 'retry', delayMs: delayMs * scale }
}

/** Full jitter above the least delay that was asked for: whoever failed together does not come back together. */
function backoff(outcome: Extract<Outcome, { kind: 'retry' }>, attempt: number, random: () => number): number {
  const least = Math.max(outcome.afterMs ?? 0, outcome.minDelayMs ?? 0)
  const base = outcome.minDelayMs ?? FIRST_DELAY_MS
  return least + random() * Math.min(base * 2 ** (attempt - 1), MAX_DELAY_MS)
}
