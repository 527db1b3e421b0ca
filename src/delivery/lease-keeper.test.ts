import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { makeTestLogger } from '../../tests/support/run-log.ts'
import type { ClaimKey, ClaimState } from '../queue/batch.ts'
import { LeaseKeeper } from './lease-keeper.ts'

const CLAIM: ClaimKey = {
  id: '7',
  uid: 'u',
  lane: 'broadcast',
  provider: 'fcm',
  targetKind: 'token',
  fence: 1,
  attempt: 1,
}
/** The documented limits of a confirmation and of the interval of looks, in ms. */
const MAX_AGE_MS = 800
const INTERVAL_MS = 400

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A keeper, and a queue with looks that the test answers. */
function makeKeeper() {
  const looks: { fences: number[]; answer: (...states: ClaimState[]) => void; fail: () => void }[] = []
  const confirm = (claims: readonly ClaimKey[]) =>
    new Promise<ClaimState[]>((resolve, reject) => {
      const fences = claims.map(({ fence }) => fence)
      looks.push({ fences, answer: (...states) => resolve(states), fail: () => reject(new Error('no answer')) })
    })
  const queue = { confirm, checkpoint: async () => undefined }
  const keeper = new LeaseKeeper({ queue, logger: makeTestLogger(), leaseMs: 15_000, heartbeatMs: 5000 })
  return { keeper, looks, hold: (claim = CLAIM) => keeper.hold(claim, performance.now()) }
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

test('the end of an earlier delivery does not release a later claim of the same batch by the same worker', async () => {
  const { keeper, looks, hold } = makeKeeper()
  const first = hold()
  const second = hold({ ...CLAIM, fence: 2 })
  keeper.release(first)
  expect([first.signal.aborted, second.signal.aborted]).toEqual([true, false])
  await pass(INTERVAL_MS)
  expect(looks[0]?.fences).toEqual([2])
})

test('a lost lease stops the delivery that it belonged to, and no later one of the same batch', async () => {
  const { looks, hold } = makeKeeper()
  const first = hold()
  await pass(INTERVAL_MS)
  const second = hold({ ...CLAIM, fence: 2 })
  looks[0]?.answer('lost')
  await pass(0)
  expect([first.signal.aborted, second.signal.aborted]).toEqual([true, false])
})

test('a cancelled send stops the delivery', async () => {
  const { looks, hold } = makeKeeper()
  const held = hold()
  await pass(INTERVAL_MS)
  looks[0]?.answer('cancelled')
  await pass(0)
  expect(held.signal.aborted).toBe(true)
})

test('a look confirms a claim from its beginning on, as the claim itself did', async () => {
  const { looks, hold } = makeKeeper()
  const claimedAtMs = performance.now()
  const held = hold()
  expect(held.untilMs).toBe(claimedAtMs + MAX_AGE_MS)
  await pass(INTERVAL_MS + 5000)
  looks[0]?.answer('valid')
  await pass(0)
  expect(held.untilMs).toBe(claimedAtMs + INTERVAL_MS + MAX_AGE_MS)
})

test('looks without an answer do not block later ones, whose result stands when they end', async () => {
  const { looks, hold } = makeKeeper()
  const held = hold()
  await pass(10 * INTERVAL_MS)
  expect(looks).toHaveLength(3)
  looks[2]?.answer('valid')
  await pass(0)
  const { untilMs } = held
  looks[0]?.answer('valid')
  looks[1]?.fail()
  await pass(0)
  expect(held.untilMs).toBe(untilMs)
  await pass(INTERVAL_MS)
  expect(looks).toHaveLength(4)
})

test('a delivery that waits for a confirmation has a look at once', async () => {
  const { looks, hold } = makeKeeper()
  const held = hold()
  await pass(1)
  const renewed = vi.fn()
  void held.renewed().then(renewed)
  expect(looks).toHaveLength(1)
  await pass(0)
  expect(renewed).not.toHaveBeenCalled()
  looks[0]?.answer('valid')
  await pass(0)
  expect(renewed).toHaveBeenCalled()
})

test('a delivery that is stopped waits for no confirmation', async () => {
  const { keeper, hold } = makeKeeper()
  const held = hold()
  const waiting = held.renewed()
  keeper.abortAll()
  await waiting
  await held.renewed()
})

test('a claim is confirmed after its cancelled targets were read, and not when they could not be', async () => {
  const { looks, hold } = makeKeeper()
  const held = hold()
  const { untilMs } = held
  const reads: { resolve: () => void; reject: (error: Error) => void }[] = []
  held.readExclusions = () => new Promise((resolve, reject) => reads.push({ resolve, reject }))
  await pass(2 * INTERVAL_MS)
  looks[0]?.answer('excluded')
  looks[1]?.answer('excluded')
  await pass(0)
  reads[0]?.reject(new Error('no answer'))
  await pass(0)
  expect([held.hasExclusions, held.untilMs]).toEqual([true, untilMs])
  reads[1]?.resolve()
  await pass(0)
  expect(held.untilMs).toBeGreaterThan(untilMs)
})
