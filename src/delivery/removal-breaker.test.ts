import { expect, test } from 'vitest'
import { fc } from '../../tests/support/fast-check.ts'
import { RemovalBreaker } from './removal-breaker.ts'

function makeBreaker() {
  const changes: string[] = []
  const breaker = new RemovalBreaker({
    onChange: (provider, isOpen) => changes.push(`${provider} ${isOpen ? 'stopped' : 'resumed'}`),
  })
  return { breaker, changes }
}

test('allows removals while at most half of the tokens are reported dead', () => {
  const { breaker, changes } = makeBreaker()
  for (let i = 0; i < 10; i++) expect(breaker.allows('fcm', { judged: 500, gone: 250 })).toBe(true)
  expect(changes).toEqual([])
})

test('stops at the batch that raises dead tokens above half of 200 answers, and reports each change once', () => {
  const { breaker, changes } = makeBreaker()
  expect(breaker.allows('fcm', { judged: 199, gone: 199 })).toBe(true)
  expect(breaker.allows('fcm', { judged: 1, gone: 1 })).toBe(false)
  expect(breaker.allows('fcm', { judged: 500, gone: 400 })).toBe(false)
  expect(breaker.allows('fcm', { judged: 500, gone: 0 })).toBe(true)
  expect(changes).toEqual(['fcm stopped', 'fcm resumed'])
})

test('counts the answers of several batches together', () => {
  const { breaker, changes } = makeBreaker()
  for (let i = 0; i < 199; i++) breaker.allows('apns', { judged: 1, gone: 1 })
  expect(changes).toEqual([])
  expect(breaker.allows('apns', { judged: 1, gone: 1 })).toBe(false)
})

test('counts each provider separately', () => {
  const { breaker } = makeBreaker()
  expect(breaker.allows('fcm', { judged: 500, gone: 500 })).toBe(false)
  expect(breaker.allows('apns', { judged: 500, gone: 5 })).toBe(true)
})

test('does not change after a batch without answers', () => {
  const { breaker } = makeBreaker()
  breaker.allows('fcm', { judged: 500, gone: 500 })
  expect(breaker.allows('fcm', { judged: 0, gone: 0 })).toBe(false)
})

test('never allows removals for a batch of at least 200 answers that report most tokens dead', () => {
  const batch = fc
    .integer({ min: 0, max: 1000 })
    .chain((judged) => fc.record({ judged: fc.constant(judged), gone: fc.integer({ min: 0, max: judged }) }))
  void fc.assert(
    fc.property(fc.array(batch), batch, (before, last) => {
      const { breaker } = makeBreaker()
      for (const answers of before) breaker.allows('fcm', answers)
      const allowed = breaker.allows('fcm', last)
      if (last.judged >= 200 && last.gone * 2 > last.judged) expect(allowed).toBe(false)
    }),
  )
})
