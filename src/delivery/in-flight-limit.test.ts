import { expect, test } from 'vitest'
import { fc } from '../../tests/support/fast-check.ts'
import { InFlightLimit } from './in-flight-limit.ts'

const MAX_TARGETS = 10
const MAX_BATCHES = 3

interface Batch {
  count: number
  stop: AbortController
  /** Undefined while it waits. */
  mayBegin: boolean | undefined
}

const STEP = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constant('take' as const), count: fc.integer({ min: 1, max: MAX_TARGETS + 5 }) }),
  },
  { weight: 10, arbitrary: fc.record({ do: fc.constantFrom('release' as const, 'abort' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stop' as const) }) },
)

test('batches begin in the order of their requests, as soon as there is room, within both limits', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { maxLength: 60 }), async (steps) => {
      const limit = new InFlightLimit(MAX_TARGETS, MAX_BATCHES)
      let open: Batch[] = []
      let isStopped = false
      for (const step of steps) {
        if (step.do === 'take') {
          const taken: Batch = { count: step.count, stop: new AbortController(), mayBegin: undefined }
          open.push(taken)
          void limit.take(taken.count, taken.stop.signal).then((mayBegin) => {
            taken.mayBegin = mayBegin
          })
        } else if (step.do === 'stop') {
          limit.stop()
          isStopped = true
        } else {
          const batch = open[step.pick % Math.max(open.length, 1)]
          if (step.do === 'abort') batch?.stop.abort()
          else if (batch?.mayBegin) {
            open = open.filter((other) => other !== batch)
            limit.release(batch.count)
          }
        }
        await settlePromises()
        expectFair(open, isStopped)
        open = open.filter(({ mayBegin }) => mayBegin !== false)
      }
    }),
    { numRuns: 500 },
  )
})

/** Waits as many turns as a resolved promise needs. */
async function settlePromises(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve()
}

/** Checks the open batches: both limits are kept, and none waits while there is room. */
function expectFair(open: readonly Batch[], isStopped: boolean): void {
  const waiting = open.filter(({ mayBegin }) => mayBegin === undefined)
  const sending = open.filter(({ mayBegin }) => mayBegin)
  const sent = sending.reduce((sum, { count }) => sum + count, 0)
  for (const { stop, mayBegin } of open) if (mayBegin === false) expect(stop.signal.aborted || isStopped).toBe(true)
  for (const { stop } of waiting) expect(stop.signal.aborted || isStopped).toBe(false)
  expect((sent <= MAX_TARGETS && sending.length <= MAX_BATCHES) || sending.length === 1).toBe(true)
  const [next] = waiting
  if (next) expect(sent > 0 && (sent + next.count > MAX_TARGETS || sending.length === MAX_BATCHES)).toBe(true)
}
