import { describe, expect, it } from 'vitest'
import type { Http2Answer } from '../http2-client.ts'
import { AdaptiveConcurrency } from './adaptive-concurrency.ts'

function answer(status: number): Http2Answer {
  return { status, header: () => undefined, bodyLength: 0, bodyText: () => '', bodyBytes: () => Buffer.alloc(0) }
}

/** Sends as many of `wanted` requests as the limit allows, and answers each with `statusOf`. Returns their number. */
function runRound(concurrency: AdaptiveConcurrency, wanted: number, statusOf: (place: number) => number): number {
  const count = Math.min(wanted, concurrency.freeSlots)
  for (let place = 0; place < count; place++) concurrency.onOpened()
  for (let place = 0; place < count; place++) concurrency.onAnswer(answer(statusOf(place)))
  return count
}

describe('adaptive concurrency', () => {
  const makeConcurrency = () => new AdaptiveConcurrency({ isBusy: ({ status }) => status === 429 })

  it('has no limit while no answer is busy', () => {
    const concurrency = makeConcurrency()
    expect([runRound(concurrency, 4000, () => 200), runRound(concurrency, 4000, () => 500)]).toEqual([4000, 4000])
    expect(concurrency.isLimited).toBe(false)
  })

  it('halves once per round of busy answers, down to one', () => {
    const concurrency = makeConcurrency()
    expect(Array.from({ length: 7 }, () => runRound(concurrency, 16, () => 429))).toEqual([16, 8, 4, 2, 1, 1, 1])
  })

  it('grows with each round of good answers, by one or by a hundredth, until there is no limit', () => {
    for (const full of [8, 4000]) {
      const concurrency = makeConcurrency()
      for (let round = 0; round < 3; round++) runRound(concurrency, full, () => 429)
      const counts: number[] = []
      while (concurrency.isLimited) counts.push(runRound(concurrency, full, () => 200))
      const steps = counts.slice(1).map((count, index) => count - (counts[index] ?? 0))
      expect(Math.max(...steps)).toBeLessThanOrEqual(Math.max(1, full / 100))
      expect(counts.length).toBeLessThanOrEqual(100)
      expect(runRound(concurrency, full, () => 200)).toBe(full)
    }
  })

  it('decreases for one busy answer of a round, and ignores requests without an answer', () => {
    const concurrency = makeConcurrency()
    runRound(concurrency, 100, (place) => (place === 99 ? 429 : 200))
    // Only the request with the busy answer was still in flight, so the limit begins at one.
    expect(concurrency.limit).toBe(1)
    const other = makeConcurrency()
    for (let place = 0; place < 10; place++) other.onOpened()
    other.onAnswer(answer(429))
    for (let place = 0; place < 9; place++) other.onFailure()
    expect([other.limit, other.freeSlots]).toEqual([5, 5])
  })
})
