import { expect, test } from 'vitest'
import { makeLoadMeter } from './load-meter.ts'

function makeMeter() {
  const at = { ms: 0 }
  const loads: number[] = []
  return { at, loads, onClaim: makeLoadMeter({ onLoad: () => loads.push(at.ms), now: () => at.ms }) }
}

test('a thousand targets in a second are a load, once', () => {
  const { loads, onClaim } = makeMeter()
  for (let batch = 0; batch < 5; batch++) onClaim(500)
  expect(loads).toEqual([0])
})

test('a hundred small batches in a second are a load', () => {
  const { at, loads, onClaim } = makeMeter()
  for (let batch = 0; batch < 100; batch++) {
    at.ms += 5
    onClaim(1)
  }
  expect(loads).toEqual([500])
})

test('ten sends a second are none', () => {
  const { at, loads, onClaim } = makeMeter()
  for (let batch = 0; batch < 1000; batch++) {
    at.ms += 100
    onClaim(50)
  }
  expect(loads).toEqual([])
})
