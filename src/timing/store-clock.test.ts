import { expect, test } from 'vitest'
import { StoreClock } from './store-clock.ts'

/** A clock with times and round trips that the test chooses; all in ms. */
function makeClock() {
  const times = { here: 0, storeMinusHere: 1_000_000, outMs: 0, backMs: 0, readings: 0 }
  const read = async () => {
    times.readings++
    times.here += times.outMs
    const storeMs = times.here + times.storeMinusHere
    await Promise.resolve()
    times.here += times.backMs
    return storeMs
  }
  return { times, clock: new StoreClock({ read, now: () => times.here }) }
}

test('a time of the store is never later than its clock, by at most the round trip of the reading', async () => {
  const { times, clock } = makeClock()
  times.outMs = 30
  times.backMs = 10
  expect(await clock.convert(500)).toBe(500 + 1_000_000 - 10)
})

test('the store is asked again in the background, and readings together are more exact than each of them', async () => {
  const { times, clock } = makeClock()
  times.backMs = 40
  expect(await clock.convert(0)).toBe(1_000_000 - 40)
  times.here += 6000
  times.outMs = 5000
  times.backMs = 2
  await clock.convert(0)
  await new Promise(setImmediate)
  expect(await clock.convert(0)).toBe(1_000_000 - 2)
  times.here += 6000
  // A link that stalls during the reading.
  times.backMs = 20_000
  await clock.convert(0)
  await new Promise(setImmediate)
  expect(await clock.convert(0)).toBe(1_000_000 - 2)
  expect(times.readings).toBe(3)
})

test('after the clock of the store was set, the next reading replaces the earlier ones', async () => {
  for (const change of [-60_000, 60_000]) {
    const { times, clock } = makeClock()
    await clock.convert(0)
    times.storeMinusHere += change
    times.here += 6000
    await clock.convert(0)
    await new Promise(setImmediate)
    expect(await clock.convert(0)).toBe(1_000_000 + change)
  }
})

test('after a refusal the store is asked before the next use', async () => {
  const { times, clock } = makeClock()
  await clock.convert(0)
  times.storeMinusHere += 60_000
  clock.forget()
  expect(await clock.convert(0)).toBe(1_060_000)
})

test('calls that need the first reading share it, and a failed one is repeated by the next call', async () => {
  let isDown = true
  let readings = 0
  const read = async () => {
    readings++
    if (isDown) throw new Error('down')
    return 5000
  }
  const clock = new StoreClock({ read, now: () => 0 })
  const failed = await Promise.allSettled([clock.convert(0), clock.convert(1)])
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  isDown = false
  expect(await Promise.all([clock.convert(0), clock.convert(1)])).toEqual([5000, 5001])
  expect(readings).toBe(2)
})
