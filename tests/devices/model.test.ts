// Random sequences of calls of the eight methods, compared with a model in memory.
import { afterEach, expect, test } from 'vitest'
import { fc } from '../support/fast-check.ts'
import { type Devices, openDevices } from './methods.ts'
import { MISTAKES } from './model-mistakes.ts'
import { modelProperty } from './model-run.ts'

const SEQUENCES = 160
/** Enough to find each of the mistakes. The search ends at the first difference. */
const SEQUENCES_WITH_MISTAKE = 1000

let devices: Devices

afterEach(() => devices.drop())

test('the methods and the model agree after each of thousands of random calls', async () => {
  devices = await openDevices()
  let steps = 0
  await fc.assert(
    modelProperty(devices, () => steps++),
    { numRuns: SEQUENCES },
  )
  expect(steps).toBeGreaterThan(2000)
})

test.each(MISTAKES)('the model finds that %s, and reports it with a few calls', async (_, Store, seed) => {
  devices = await openDevices(Store)
  const { errorInstance, counterexample } = await fc.check(modelProperty(devices), {
    numRuns: SEQUENCES_WITH_MISTAKE,
    seed,
  })
  expect(String(errorInstance)).toContain('the server and the model differ')
  expect(counterexample?.[0].length).toBeLessThanOrEqual(4)
})
