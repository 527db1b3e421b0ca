import { describe, expect, test } from 'vitest'
import { planRetry } from './retry-policy.ts'

const retryAfter = (delayMs: number) => ({ kind: 'retry', delayMs })
const GIVEN_UP = { kind: 'givenUp' }

const FIRST = {
  attempt: 1,
  ageMs: 0,
  upForMs: Number.POSITIVE_INFINITY,
  expiresInMs: undefined,
  ambiguousAttempts: 0,
}
const least = { scale: 1, random: () => 0 }
const most = { scale: 1, random: () => 1 }

describe('the delay before a retry', () => {
  test('is never shorter than the Retry-After of the provider', () => {
    const outcome = { kind: 'retry', reason: 'QUOTA_EXCEEDED', afterMs: 90_000, minDelayMs: 60_000 } as const
    expect(planRetry(outcome, FIRST, least)).toEqual(retryAfter(90_000))
  })

  test('is never shorter than the minimum in the provider’s documentation', () => {
    expect(planRetry({ kind: 'retry', reason: 'UNAVAILABLE', minDelayMs: 10_000 }, FIRST, least)).toEqual(
      retryAfter(10_000),
    )
  })

  test('doubles its jitter with each attempt, up to ten minutes', () => {
    const delayAt = (attempt: number) => planRetry({ kind: 'retry', reason: 'reset' }, { ...FIRST, attempt }, most)
    expect([1, 2, 3, 4].map(delayAt)).toEqual([1000, 2000, 4000, 8000].map(retryAfter))
    expect(delayAt(30)).toEqual(retryAfter(600_000))
  })

  test('spreads targets that failed together', () => {
    const outcome = { kind: 'retry', reason: 'UNAVAILABLE', minDelayMs: 10_000 } as const
    expect(planRetry(outcome, FIRST, most)).toEqual(retryAfter(20_000))
    expect(planRetry(outcome, FIRST, { scale: 1, random: () => 0.5 })).toEqual(retryAfter(15_000))
  })

  test('is zero after a refused credential, because the pause of the provider delays the retry', () => {
    expect(planRetry({ kind: 'credential', reason: 'UNAUTHENTICATED' }, { ...FIRST, attempt: 9 }, most)).toEqual(
      retryAfter(0),
    )
  })

  test('is multiplied by the scale in the configuration', () => {
    expect(planRetry({ kind: 'retry', reason: 'reset' }, FIRST, { scale: 0.01, random: () => 1 })).toEqual(
      retryAfter(10),
    )
  })
})

describe('a target is not retried', () => {
  test('if the next attempt would start more than an hour after the first', () => {
    const outcome = { kind: 'retry', reason: 'reset' } as const
    expect(planRetry(outcome, { ...FIRST, ageMs: 3_599_000 }, most)).toEqual(retryAfter(1000))
    expect(planRetry(outcome, { ...FIRST, ageMs: 3_599_001 }, most)).toEqual(GIVEN_UP)
  })

  test('after its expiry, which replaces the limit of an hour', () => {
    const outcome = { kind: 'retry', reason: 'reset' } as const
    expect(planRetry(outcome, { ...FIRST, expiresInMs: 999 }, most)).toEqual({ kind: 'expired' })
    expect(planRetry(outcome, { ...FIRST, ageMs: 5 * 3_600_000, expiresInMs: 1000 }, most)).toEqual(retryAfter(1000))
  })

  test('after more than a day of refused credentials', () => {
    const outcome = { kind: 'credential', reason: 'UNAUTHENTICATED' } as const
    expect(planRetry(outcome, { ...FIRST, ageMs: 24 * 3_600_000 }, most)).toEqual(retryAfter(0))
    expect(planRetry(outcome, { ...FIRST, ageMs: 24 * 3_600_000 + 1 }, most)).toEqual(GIVEN_UP)
  })

  test('after five ambiguous attempts', () => {
    const outcome = { kind: 'retry', reason: 'timeout', maybeDelivered: true } as const
    expect(planRetry(outcome, { ...FIRST, ambiguousAttempts: 4 }, most)).toEqual(retryAfter(1000))
    expect(planRetry(outcome, { ...FIRST, ambiguousAttempts: 5 }, most)).toEqual(GIVEN_UP)
  })
})

describe('in an outage of the provider', () => {
  const unsent = { kind: 'retry', reason: 'origin_down', outageDelayMs: 4000 } as const
  const maybeDelivered = { kind: 'retry', reason: 'timeout', maybeDelivered: true, outageDelayMs: 4000 } as const

  test('a retry waits for the next probe, after any number of attempts', () => {
    expect(planRetry(unsent, { ...FIRST, attempt: 20 }, least)).toEqual(retryAfter(4000))
    expect(planRetry(unsent, { ...FIRST, attempt: 20 }, most)).toEqual(retryAfter(5000))
  })

  test('the scale of the configuration does not apply twice', () => {
    expect(planRetry(unsent, FIRST, { scale: 0.01, random: () => 1 })).toEqual(retryAfter(4000))
  })

  test('a target that may have been delivered waits for a part of its age, so that its device gets few pushes', () => {
    expect(planRetry(maybeDelivered, { ...FIRST, ageMs: 600_000 }, least)).toEqual(retryAfter(40_000))
    expect(planRetry(maybeDelivered, { ...FIRST, ageMs: 20 * 3_600_000 }, least)).toEqual(retryAfter(600_000))
    expect(planRetry(unsent, { ...FIRST, ageMs: 600_000 }, least)).toEqual(retryAfter(4000))
  })

  test('a target is given up after a day, not after an hour, and expires as usual', () => {
    expect(planRetry(unsent, { ...FIRST, ageMs: 23 * 3_600_000 }, most)).toEqual(retryAfter(5000))
    expect(planRetry(unsent, { ...FIRST, ageMs: 24 * 3_600_000 }, most)).toEqual(GIVEN_UP)
    expect(planRetry(unsent, { ...FIRST, expiresInMs: 3000 }, least)).toEqual({ kind: 'expired' })
  })

  test('the hour begins again with its end', () => {
    const after = { kind: 'retry', reason: 'reset' } as const
    expect(planRetry(after, { ...FIRST, ageMs: 5 * 3_600_000, upForMs: 3_599_000 }, most)).toEqual(retryAfter(1000))
    expect(planRetry(after, { ...FIRST, ageMs: 5 * 3_600_000, upForMs: 3_599_001 }, most)).toEqual(GIVEN_UP)
    expect(planRetry(after, { ...FIRST, ageMs: 24 * 3_600_000, upForMs: 0 }, most)).toEqual(GIVEN_UP)
  })
})
