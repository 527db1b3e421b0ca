import { expect, test } from 'vitest'
import { UserLimit } from './user-limit.ts'

function makeLimit(perMinute: number) {
  const clock = { nowMs: 0 }
  const limit = new UserLimit({ perMinute, now: () => clock.nowMs })
  return { clock, limit }
}

test('allows a minute’s calls at once, and then as many as the time since then', () => {
  const { clock, limit } = makeLimit(60)
  expect(Array.from({ length: 61 }, () => limit.take('a', 1)).filter(Boolean)).toHaveLength(60)
  clock.nowMs += 999
  expect(limit.take('a', 1)).toBe(false)
  clock.nowMs += 1
  expect([limit.take('a', 1), limit.take('a', 1)]).toEqual([true, false])
})

test('counts each user alone, and a call by its cost', () => {
  const { limit } = makeLimit(60)
  expect([limit.take('a', 50), limit.take('a', 11), limit.take('a', 10), limit.take('b', 60)]).toEqual([
    true,
    false,
    true,
    true,
  ])
})

test('never allows more than twice the limit within a minute', () => {
  const { clock, limit } = makeLimit(60)
  let allowed = 0
  for (let at = 0; at < 60_000; at += 10) {
    clock.nowMs = at
    if (limit.take('a', 1)) allowed++
  }
  expect(allowed).toBeLessThanOrEqual(120)
})
