import { describe, expect, it } from 'vitest'
import type { Http2Answer } from '../http2-client.ts'
import { Pace } from './adaptive-concurrency.ts'

function answer(status: number): Http2Answer {
  return { status, header: () => undefined, bodyLength: 0, bodyText: () => '', bodyBytes: () => Buffer.alloc(0) }
}

/** A server that answers all that is in flight at once, `statusOf` each; of `wanted` requests as many go out as may. */
function runRound(pace: Pace, wanted: number, statusOf: (place: number) => number): number {
  const count = Math.min(wanted, pace.room)
  for (let place = 0; place < count; place++) pace.onOpened()
  for (let place = 0; place < count; place++) pace.onAnswer(answer(statusOf(place)))
  return count
}

describe('the pace', () => {
  const makePace = () => new Pace({ isBusy: ({ status }) => status === 429 })

  it('is not limited while nobody asks for less', () => {
    const pace = makePace()
    expect([runRound(pace, 4000, () => 200), runRound(pace, 4000, () => 500)]).toEqual([4000, 4000])
    expect(pace.isSlowed).toBe(false)
  })

  it('halves once for all that were in flight together, down to one', () => {
    const pace = makePace()
    expect(Array.from({ length: 7 }, () => runRound(pace, 16, () => 429))).toEqual([16, 8, 4, 2, 1, 1, 1])
  })

  it('grows back with each round of good answers, by one or by a hundredth, until there is no limit', () => {
    for (const full of [8, 4000]) {
      const pace = makePace()
      for (let round = 0; round < 3; round++) runRound(pace, full, () => 429)
      const counts: number[] = []
      while (pace.isSlowed) counts.push(runRound(pace, full, () => 200))
      const steps = counts.slice(1).map((count, index) => count - (counts[index] ?? 0))
      expect(Math.max(...steps)).toBeLessThanOrEqual(Math.max(1, full / 100))
      expect(counts.length).toBeLessThanOrEqual(100)
      expect(runRound(pace, full, () => 200)).toBe(full)
    }
  })

  it('counts one busy answer of many as one, and what has no answer as none', () => {
    const pace = makePace()
    runRound(pace, 100, (place) => (place === 99 ? 429 : 200))
    // Of the last request, whose answer it is, nothing more was in flight: one at a time is where it begins.
    expect(pace.limit).toBe(1)
    const other = makePace()
    for (let place = 0; place < 10; place++) other.onOpened()
    other.onAnswer(answer(429))
    for (let place = 0; place < 9; place++) other.onFailure()
    expect([other.limit, other.room]).toEqual([5, 5])
  })
})
