import { expect, test } from 'vitest'
import { fc } from '../../tests/support/fast-check.ts'
import { RemovalBreaker } from './removal-breaker.ts'

function makeBreaker() {
  const changes: string[] = []
  const breaker = new RemovalBreaker({
    onChange: (provider, isOpen) => changes.push(`${provider} ${isOpen ? 'stops' : 'goes on'}`),
  })
  return { breaker, changes }
}

test('removes what is called dead while that is not the most', () => {
  const { breaker, changes } = makeBreaker()
  for (let i = 0; i < 10; i++) expect(breaker.allows('fcm', { judged: 500, gone: 250 })).toBe(true)
  expect(changes).toEqual([])
})

test('stops with the very batch that makes it most of two hundred, says so once, and goes on when it is over', () => {
  const { breaker, changes } = makeBreaker()
  expect(breaker.allows('fcm', { judged: 199, gone: 199 })).toBe(true)
  expect(breaker.allows('fcm', { judged: 1, gone: 1 })).toBe(false)
  expect(breaker.allows('fcm', { judged: 500, gone: 400 })).toBe(false)
  expect(breaker.allows('fcm', { judged: 500, gone: 0 })).toBe(true)
  expect(changes).toEqual(['fcm stops', 'fcm goes on'])
})

test('adds up single sends', () => {
  const { breaker, changes } = makeBreaker()
  for (let i = 0; i < 199; i++) breaker.allows('apns', { judged: 1, gone: 1 })
  expect(changes).toEqual([])
  expect(breaker.allows('apns', { judged: 1, gone: 1 })).toBe(false)
})

test('keeps providers apart', () => {
  const { breaker } = makeBreaker()
  expect(breaker.allows('fcm', { judged: 500, gone: 500 })).toBe(false)
  expect(breaker.allows('apns', { judged: 500, gone: 5 })).toBe(true)
})

test('is not changed by batches that nothing was said about', () => {
  const { breaker } = makeBreaker()
  breaker.allows('fcm', { judged: 500, gone: 500 })
  expect(breaker.allows('fcm', { judged: 0, gone: 0 })).toBe(false)
})

test('never removes from a batch of two hundred or more that calls most of them dead', () => {
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
