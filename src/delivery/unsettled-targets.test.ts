import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { UnsettledTargets } from './unsettled-targets.ts'

const MOST = 10

interface Batch {
  count: number
  stop: AbortController
  isBegun: boolean
}

test('begins batches in their order, as soon as there is room, and never more than are allowed', async () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ do: fc.constant('take' as const), count: fc.integer({ min: 1, max: MOST + 5 }) }),
      fc.record({ do: fc.constantFrom('release' as const, 'abort' as const), pick: fc.nat() }),
    ),
    { maxLength: 60 },
  )
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      const unsettled = new UnsettledTargets(MOST)
      let open: Batch[] = []
      for (const step of steps) {
        const batch = step.do === 'take' ? undefined : open[step.pick % Math.max(open.length, 1)]
        if (step.do === 'take') {
          const taken: Batch = { count: step.count, stop: new AbortController(), isBegun: false }
          open.push(taken)
          void unsettled.take(taken.count, taken.stop.signal).then(() => {
            taken.isBegun = true
          })
        } else if (batch && step.do === 'abort') {
          batch.stop.abort()
        } else if (batch?.isBegun) {
          open = open.filter((other) => other !== batch)
          unsettled.release(batch.count)
        }
        await Promise.resolve().then(() => undefined)
        expectFair(open)
      }
    }),
    { numRuns: 500 },
  )
})

/** What is open by what the class promises: those that were aborted begin, and of the others as many as there is room for. */
function expectFair(open: readonly Batch[]): void {
  for (const { stop, isBegun } of open) if (stop.signal.aborted) expect(isBegun).toBe(true)
  const waiting = open.filter(({ isBegun }) => !isBegun)
  const sending = open.filter(({ isBegun }) => isBegun)
  const sent = sending.filter(({ stop }) => !stop.signal.aborted).reduce((sum, { count }) => sum + count, 0)
  const all = sending.reduce((sum, { count }) => sum + count, 0)
  const alone = sending.filter(({ stop }) => !stop.signal.aborted).length === 1
  expect(sent <= MOST || alone).toBe(true)
  const [next] = waiting
  if (next) expect(all > 0 && all + next.count > MOST).toBe(true)
}
