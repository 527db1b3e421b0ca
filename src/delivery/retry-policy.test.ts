import { describe, expect, test } from 'vitest'
import { planRetry } from './retry-policy.ts'

const retryAfter = (delayMs: number) => ({ kind: 'retry', delayMs })
const GIVEN_UP = { kind: 'givenUp' }

const FIRST = { attempt: 1, ageMs: 0, expiresInMs: undefined, ambiguousAttempts: 0 }
const least = { scale: 1, random: () => 0 }
const most = { scale: 1, random: () => 1 }

describe('the delay before a retry', () => {
  test('is never shorter than the Retry-After of the provider', () => {
    const outcome = { kind: 'retry', reason: 'QUOTA_EXCEEDED', afterMs: 90_000, minDelayMs: 60_000 } as const
    expect(planRetry(outcome, FIRST, least)).toEqual(retryAfter(90_000))
  })

  test('is never shorter than the minimum in the documentation of the provider', () => {
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

  test('is zero for a refused credential, because the provider is paused', () => {
    expect(planRetry({ kind: 'credential', reason: 'UNAUTHENTICATED' }, { ...FIRST, attempt: 9 }, most)).toEqual(
      retryAfter(0),
    )
  })

  test('is multiplied by the scale', () => {
    expect(planRetry({ kind: 'retry', reason: 'reset' }, FIRST, { scale: 0.01, random: () => 1 })).toEqual(
      retryAfter(10),
    )
  })
})

describe('a target is given up', () => {
  test('when the next attempt would start an hour after the first', () => {
    const outcome = { kind: 'retry', reason: 'reset' } as const
    expect(planRetry(outcome, { ...FIRST, ageMs: 3_599_000 }, most)).toEqual(retryAfter(1000))
    expect(planRetry(outcome, { ...FIRST, ageMs: 3_599_001 }, most)).toEqual(GIVEN_UP)
  })

  test('when its send expires, before or after an hour', () => {
    const outcome = { kind: 'retry', reason: 'reset' } as const
    expect(planRetry(outcome, { ...FIRST, expiresInMs: 999 }, most)).toEqual({ kind: 'expired' })
    expect(planRetry(outcome, { ...FIRST, ageMs: 5 * 3_600_000, expiresInMs: 1000 }, most)).toEqual(retryAfter(1000))
  })

  test('only after a day if the credential was refused', () => {
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
