// Random sequences of calls of the eight methods, compared with a model in memory, which finds planted mistakes.
import { expect, test } from 'vitest'
import { fc } from '../support/fast-check.ts'
import { openDevices } from './methods.ts'
import { MISTAKES } from './model-mistakes.ts'
import { expectAgreement, modelProperty } from './model-run.ts'

/** Enough to find each of the mistakes. The search ends at the first difference. */
const SEQUENCES_WITH_MISTAKE = 1000

test('the methods and the model agree after each of thousands of random calls', async () => {
  expect(await expectAgreement({ sequences: 160 })).toBeGreaterThan(2000)
})

test.each(MISTAKES)('the model finds that %s, and reports it with a few calls', async (_, Store, seed) => {
  const devices = await openDevices(Store)
  const { errorInstance, counterexample } = await fc.check(modelProperty(devices), {
    numRuns: SEQUENCES_WITH_MISTAKE,
    seed,
  })
  await devices.drop()
  expect(String(errorInstance)).toContain('the server and the model differ')
  expect(counterexample?.[0].length).toBeLessThanOrEqual(4)
})
