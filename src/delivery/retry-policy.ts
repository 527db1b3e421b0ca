// Decides when a target gets another attempt and when it is given up. Delays follow the rules of the providers.
import type { Outcome } from '../providers/provider.ts'

type RetryOutcome = Extract<Outcome, { kind: 'retry' | 'credential' }>

/** The first delay if the provider asks for none, in ms. Short, because most of these are failed connections. */
const FIRST_DELAY_MS = 1000
/** The longest jitter of a delay, in ms. */
const MAX_DELAY_MS = 10 * 60_000
/** In ms since the first attempt or, if that is later, since the last outage of the provider: the push is outdated. */
const GIVE_UP_AFTER_MS = 3_600_000
/** In ms since the first attempt, in any case. A credential is replaced, and an outage ends, within this time. */
const GIVE_UP_AT_AGE_MS = 24 * 3_600_000
/** A target that may have been delivered in an outage waits for this part of its age: the outage lasts as long. */
const PROBES_IN_AGE = 15
/** Each ambiguous attempt may have reached the device. */
const MAX_AMBIGUOUS_ATTEMPTS = 5

/** The attempts of a target so far, by the queue's clock. */
export interface Attempts {
  /** The number of this attempt, from 1. */
  attempt: number
  /** Milliseconds since the first attempt. */
  ageMs: number
  /** Milliseconds since the last outage of the provider. */
  upForMs: number
  /** Milliseconds until the send expires; undefined: it does not expire. */
  expiresInMs: number | undefined
  /** The number of ambiguous attempts that count, this one included. */
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
  const outageDelayMs = outcome.kind === 'retry' ? outcome.outageDelayMs : undefined
  const delayMs = chooseDelay(outcome, attempts, random)
  // The times of an outage have the scale already.
  const retry: RetryPlan = { kind: 'retry', delayMs: Math.max(delayMs * scale, outageDelayMs ?? 0) }
  if (attempts.expiresInMs !== undefined) return delayMs > attempts.expiresInMs ? { kind: 'expired' } : retry
  const isKept = outcome.kind === 'credential' || outageDelayMs !== undefined
  const leftMs = Math.min(
    GIVE_UP_AT_AGE_MS - attempts.ageMs,
    isKept ? Number.POSITIVE_INFINITY : GIVE_UP_AFTER_MS - Math.min(attempts.ageMs, attempts.upForMs),
  )
  return delayMs > leftMs ? { kind: 'givenUp' } : retry
}

/** The delay in ms before the next attempt, without the scale. */
function chooseDelay(outcome: RetryOutcome, { attempt, ageMs }: Attempts, random: () => number): number {
  // A refused credential pauses the provider, so its next probe decides on the time of the retry.
  if (outcome.kind === 'credential') return 0
  const least = Math.max(outcome.afterMs ?? 0, outcome.minDelayMs ?? 0, outcome.outageDelayMs ?? 0)
  // In an outage the targets wait in the queue, and the number of their attempts says nothing. A target that is alone
  // there is every probe, and each may have reached the device.
  if (outcome.outageDelayMs !== undefined) {
    const leastOfProbe = outcome.maybeDelivered ? Math.min(ageMs / PROBES_IN_AGE, MAX_DELAY_MS) : 0
    return Math.max(least, leastOfProbe) + random() * FIRST_DELAY_MS
  }
  // Full jitter above the least delay that the provider asks for, so that simultaneous failures are not retried
  // together.
  const base = outcome.minDelayMs ?? FIRST_DELAY_MS
  return least + random() * Math.min(base * 2 ** (attempt - 1), MAX_DELAY_MS)
}
