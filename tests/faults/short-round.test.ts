// The short round of every fault on every back-end. `npm run test:faults` has the long one, and the planted mistakes.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Backend } from './backend.ts'
import { FAULT_CASES } from './cases.ts'
import { Rig } from './rig.ts'
import { isFor, runCase } from './run-case.ts'
import { SHORT } from './scale.ts'
import { BACKEND_NAMES, startBackend } from './start-backend.ts'

const CASE_TIMEOUT_MS = 240_000

describe.each(BACKEND_NAMES)('on %s', (name) => {
  let backend: Backend
  let rig: Rig
  beforeAll(async () => {
    backend = await startBackend(name)
    rig = await Rig.start({ backend, scale: SHORT })
  })
  afterAll(async () => {
    await rig.stop()
    await backend.stop()
  })

  const cases = FAULT_CASES.filter((faultCase) => isFor(faultCase, name))
  test.each(cases)('$name: $promise', { timeout: CASE_TIMEOUT_MS }, async (faultCase) => {
    const seed = Math.floor(Math.random() * 2 ** 32)
    const { findings } = await runCase(rig, faultCase, seed)
    expect(findings.broken, `with --only ${faultCase.name} --backend ${name} --seed ${seed}`).toEqual([])
  })
})
