// Random sequences of calls of the eight methods, compared with a model in memory. model.long.test.ts runs more of them.
import { expect, test } from 'vitest'
import { expectAgreement } from './model-run.ts'

test('the methods and the model agree after each of hundreds of random calls', async () => {
  expect(await expectAgreement({ sequences: 40 })).toBeGreaterThan(300)
})
