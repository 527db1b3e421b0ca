// Compares a limiter with the model, by random calls on few keys.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import type { RateLimiter } from '../../src/limits/rate-limiter.ts'
import type { RatePolicy } from '../../src/sends/rate-limit.ts'
import { fc } from '../support/fast-check.ts'
import { LimiterModel } from './model.ts'

/** The intervals are so short that many windows open and close in a sequence of calls. The last interval never ends. */
const POLICIES: RatePolicy[][] = [
  [{ rate: 1, intervalMs: 5 }],
  [{ rate: 3, intervalMs: 20 }],
  [
    { rate: 1, intervalMs: 4 },
    { rate: 4, intervalMs: 40 },
  ],
  [
    { rate: 5, intervalMs: 10 },
    { rate: 3, intervalMs: 30 },
    { rate: 8, intervalMs: 60 },
  ],
  [{ rate: 6, intervalMs: 2000 }],
]
const MAX_CALLS = 20
const MAX_ASKS = 8

/**
 * Fails for calls that the limiter and the model answer differently.
 * @param kind whether the calls of a sequence use one set of POLICIES or any of them
 */
export function modelProperty(limiter: RateLimiter, kind: 'one set' | 'mixed') {
  const ask = fc.record({ key: fc.nat(2), id: fc.nat(9) })
  const call = fc.record({
    asks: fc.array(ask, { minLength: 1, maxLength: MAX_ASKS, size: 'max' }),
    policies: fc.nat(POLICIES.length - 1),
    pauseMs: fc.constantFrom(0, 0, 1, 4, 15),
  })
  const calls = fc.array(call, { minLength: 1, maxLength: MAX_CALLS, size: 'max' })
  return fc.asyncProperty(calls, fc.nat(POLICIES.length - 1), async (calls, only) => {
    const model = new LimiterModel()
    const run = randomUUID()
    for (const { asks, policies: chosen, pauseMs } of calls) {
      await delay(pauseMs)
      const policies = POLICIES[kind === 'mixed' ? chosen : only] ?? []
      const named = asks.map(({ key, id }) => ({ key: `${run} ${key}`, id: `${id}` }))
      const answers = await limiter.take(named, policies)
      const decidedAtMs = answers.map((answer) => answer.decidedAtMs)
      expect(answers).toEqual(model.take(named, policies, decidedAtMs))
    }
  })
}
