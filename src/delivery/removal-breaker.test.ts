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

test('removals go on while at most half of the tokens are dead', () => {
  const { breaker, changes } = makeBreaker()
  for (let i = 0; i < 10; i++) expect(breaker.allows('fcm', { judged: 500, gone: 250 })).toBe(true)
  expect(changes).toEqual([])
})

test('removals stop with the batch that makes most of 200 tokens dead, once, and resume afterwards', () => {
  const { breaker, changes } = makeBreaker()
  expect(breaker.allows('fcm', { judged: 199, gone: 199 })).toBe(true)
  expect(breaker.allows('fcm', { judged: 1, gone: 1 })).toBe(false)
  expect(breaker.allows('fcm', { judged: 500, gone: 400 })).toBe(false)
  expect(breaker.allows('fcm', { judged: 500, gone: 0 })).toBe(true)
  expect(changes).toEqual(['fcm stopped', 'fcm resumed'])
})

test('batches of one target are added up', () => {
  const { breaker, changes } = makeBreaker()
  for (let i = 0; i < 199; i++) breaker.allows('apns', { judged: 1, gone: 1 })
  expect(changes).toEqual([])
  expect(breaker.allows('apns', { judged: 1, gone: 1 })).toBe(false)
})

test('each provider has its own state', () => {
  const { breaker } = makeBreaker()
  expect(breaker.allows('fcm', { judged: 500, gone: 500 })).toBe(false)
  expect(breaker.allows('apns', { judged: 500, gone: 5 })).toBe(true)
})

test('batches without a judged target do not change the state', () => {
  const { breaker } = makeBreaker()
  breaker.allows('fcm', { judged: 500, gone: 500 })
  expect(breaker.allows('fcm', { judged: 0, gone: 0 })).toBe(false)
})

test('a batch of 200 or more targets with mostly dead tokens is never allowed to remove', () => {
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
