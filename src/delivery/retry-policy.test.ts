import { describe, expect, test } from 'vitest'
import { planRetry } from './retry-policy.ts'

const FIRST = { attempt: 1, ageMs: 0, expiresInMs: undefined, ambiguousAttempts: 0 }
const least = { scale: 1, random: () => 0 }
const most = { scale: 1, random: () => 1 }

describe('the delay before a retry', () => {
  test('is never shorter than what the provider asked for in Retry-After', () => {
    const outcome = { kind: 'retry', reason: 'QUOTA_EXCEEDED', afterMs: 90_000, minDelayMs: 60_000 } as const
    expect(planRetry(outcome, FIRST, least)).toBe(90_000)
  })

  test('is never shorter than what its documentation asks for', () => {
    expect(planRetry({ kind: 'retry', reason: 'UNAVAILABLE', minDelayMs: 10_000 }, FIRST, least)).toBe(10_000)
  })

  test('doubles its jitter with each attempt, up to ten minutes', () => {
    const delayAt = (attempt: number) => planRetry({ kind: 'retry', reason: 'reset' }, { ...FIRST, attempt }, most)
    expect([1, 2, 3, 4].map(delayAt)).toEqual([1000, 2000, 4000, 8000])
    expect(delayAt(30)).toBe(600_000)
  })

  test('spreads targets that failed together', () => {
    const outcome = { kind: 'retry', reason: 'UNAVAILABLE', minDelayMs: 10_000 } as const
    expect(planRetry(outcome, FIRST, most)).toBe(20_000)
    expect(planRetry(outcome, FIRST, { scale: 1, random: () => 0.5 })).toBe(15_000)
  })

  test('is a minute while the credential is refused', () => {
    expect(planRetry({ kind: 'credential', reason: 'UNAUTHENTICATED' }, { ...FIRST, attempt: 9 }, most)).toBe(60_000)
  })

  test('is scaled as the configuration says', () => {
    expect(planRetry({ kind: 'retry', reason: 'reset' }, FIRST, { scale: 0.01, random: () => 1 })).toBe(10)
  })
})

describe('a target is given up', () => {
  test('when the next attempt would start an hour after the first', () => {
    const outcome = { kind: 'retry', reason: 'reset' } as const
    expect(planRetry(outcome, { ...FIRST, ageMs: 3_599_000 }, most)).toBe(1000)
    expect(planRetry(outcome, { ...FIRST, ageMs: 3_599_001 }, most)).toBeUndefined()
  })

  test('at the time it expires, be that before an hour is over or after', () => {
    const outcome = { kind: 'retry', reason: 'reset' } as const
    expect(planRetry(outcome, { ...FIRST, expiresInMs: 999 }, most)).toBeUndefined()
    expect(planRetry(outcome, { ...FIRST, ageMs: 5 * 3_600_000, expiresInMs: 1000 }, most)).toBe(1000)
  })

  test('only after a day when it was our credential', () => {
    const outcome = { kind: 'credential', reason: 'UNAUTHENTICATED' } as const
    expect(planRetry(outcome, { ...FIRST, ageMs: 20 * 3_600_000 }, most)).toBe(60_000)
    expect(planRetry(outcome, { ...FIRST, ageMs: 24 * 3_600_000 }, most)).toBeUndefined()
  })

  test('after five attempts that may each have reached the phone', () => {
    const outcome = { kind: 'retry', reason: 'timeout', maybeDelivered: true } as const
    expect(planRetry(outcome, { ...FIRST, ambiguousAttempts: 4 }, most)).toBe(1000)
    expect(planRetry(outcome, { ...FIRST, ambiguousAttempts: 5 }, most)).toBeUndefined()
  })
})
