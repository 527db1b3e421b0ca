import { expect, test } from 'vitest'
import { fc } from '../../tests/support/fast-check.ts'
import { OverloadError, OverloadLimit, OverloadLimits } from './overload-limit.ts'

interface Load {
  /** The calls that the store ends in a second, in groups that end together. */
  perSecond: number
  group: number
  /** Calls a second, as multiples of `perSecond`. */
  factor: number
  seconds: number
}

/** Offers calls at a fixed rate to a store with one line. Returns the times of accepted calls in ms, and the counts. */
async function offer({ perSecond, group, factor, seconds }: Load) {
  let nowMs = 0
  const limit = new OverloadLimit(() => nowMs)
  const line: { startMs: number; end(): void }[] = []
  const timesMs: number[] = []
  let refused = 0
  let offered = 0
  /** The work of the store since the last group ended, in calls. */
  let done = 0
  for (nowMs = 0; nowMs < seconds * 1000; nowMs++) {
    for (; offered < (nowMs * perSecond * factor) / 1000; offered++) {
      if (limit.isReached) refused++
      else {
        const startMs = nowMs
        void limit.count(() => new Promise<void>((end) => line.push({ startMs, end })))
      }
    }
    done = line.length === 0 ? 0 : done + perSecond / 1000
    if (done < group) continue
    done -= group
    for (const call of line.splice(0, group)) {
      timesMs.push(nowMs - call.startMs)
      call.end()
    }
    // The ends of the calls are counted in microtasks.
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { timesMs, refused, offered }
}

const stores = { perSecond: fc.integer({ min: 100, max: 800 }), group: fc.constantFrom(1, 4, 16) }

test('calls beyond the saturation are refused, the others take less than a second, and the store stays busy', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({ ...stores, factor: fc.double({ min: 1.5, max: 4, noNaN: true }), seconds: fc.constant(4) }),
      async (load) => {
        const { timesMs, refused } = await offer(load)
        expect(Math.max(...timesMs)).toBeLessThan(1000)
        expect(refused).toBeGreaterThan(0)
        expect(timesMs.length).toBeGreaterThan(load.perSecond * load.seconds * 0.85)
      },
    ),
    { numRuns: 25 },
  )
})

test('no call is refused below the saturation', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({ ...stores, factor: fc.double({ min: 0.05, max: 0.85, noNaN: true }), seconds: fc.constant(4) }),
      async (load) => {
        const { refused } = await offer(load)
        expect(refused).toBe(0)
      },
    ),
    { numRuns: 25 },
  )
})

test('a burst after a quiet time is accepted', () => {
  const limit = new OverloadLimit(() => 0)
  for (let call = 0; call < 900; call++) {
    expect(limit.isReached).toBe(false)
    void limit.count(() => new Promise(() => undefined))
  }
})

test('a store that answers nothing gets no more calls, and all again when it answers', async () => {
  let nowMs = 0
  const limit = new OverloadLimit(() => nowMs)
  const ends: (() => void)[] = []
  for (let call = 0; call < 100; call++) void limit.count(() => new Promise<void>((end) => ends.push(end)))
  nowMs = 650
  expect(limit.isReached).toBe(true)
  for (const end of ends) end()
  await new Promise((resolve) => setImmediate(resolve))
  expect(limit.isReached).toBe(false)
})

test('calls that are read late in the second of two long turns of the event loop are refused', async () => {
  let nowMs = 0
  const refused: string[] = []
  const limits = new OverloadLimits(
    (method) => refused.push(method),
    () => nowMs,
  )
  const takeLongTurn = async (checkLate: () => void) => {
    for (let call = 0; call < 31; call++) limits.check('early')
    nowMs += 350
    limits.check('one of few')
    checkLate()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await takeLongTurn(() => limits.check('of a burst'))
  await takeLongTurn(() => expect(() => limits.check('late')).toThrow(OverloadError))
  limits.check('next turn')
  await new Promise((resolve) => setImmediate(resolve))
  nowMs += 1000
  await takeLongTurn(() => limits.check('of a later burst'))
  expect(refused).toEqual(['late'])
})
