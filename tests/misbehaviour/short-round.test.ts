// The short round. `npm run test:misbehaviour` has the long one, and the planted mistakes.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Backend } from '../faults/backend.ts'
import { startBackend } from '../faults/start-backend.ts'
import { MISBEHAVIOUR_CASES } from './cases.ts'
import { runProvider } from './run-provider.ts'

const PUSHES = 3000
const TIMEOUT_MS = 240_000

let backend: Backend
beforeAll(async () => {
  backend = await startBackend('redis')
})
afterAll(() => backend.stop())

// At the same time: most of it is waiting for answers that don't come.
describe.concurrent('while it misbehaves', () => {
  test.each(MISBEHAVIOUR_CASES)(
    '$name costs no push and doubles none but those that it was silent about',
    {
      timeout: TIMEOUT_MS,
    },
    async (tested) => {
      const seed = Math.floor(Math.random() * 2 ** 32)
      // Servers with different providers can't share a queue.
      const redis = { ...backend.queueSettings.redis, prefix: tested.name }
      const own = { dsn: backend.dsn, queueSettings: { ...backend.queueSettings, redis } }
      const { broken } = await runProvider(tested, { backend: own, pushes: PUSHES, seed })
      expect(broken, `npm run test:misbehaviour -- --provider ${tested.name} --seed ${seed}`).toEqual([])
    },
  )
})
