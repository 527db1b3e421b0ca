import { afterEach, expect, test, vi } from 'vitest'
import { makeTestLogger } from '../../tests/support/run-log.ts'
import type { ClaimKey } from '../queue/batch.ts'
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

const keepers: LeaseKeeper[] = []
afterEach(async () => {
  await Promise.all(keepers.splice(0).map((keeper) => keeper.close()))
})

function makeKeeper(extend: (claims: readonly ClaimKey[]) => Promise<ReadonlySet<string>>): LeaseKeeper {
  const queue = { extend, findCancelled: async () => new Map(), checkpoint: async () => undefined }
  const keeper = new LeaseKeeper({ queue, logger: makeTestLogger(), heartbeatMs: 10 })
  keepers.push(keeper)
  return keeper
}

test('the end of an earlier delivery does not release a later claim of the same batch by the same worker', async () => {
  const extended: number[] = []
  const keeper = makeKeeper(async (claims) => {
    extended.push(...claims.map(({ fence }) => fence))
    return new Set()
  })
  const again = { ...CLAIM, fence: 2 }
  const first = keeper.hold(CLAIM)
  const second = keeper.hold(again)
  keeper.release(CLAIM)
  expect([first.signal.aborted, second.signal.aborted]).toEqual([true, false])
  await vi.waitFor(() => expect(extended).toContain(2))
})

test('a lost lease stops the delivery that it belonged to, and no later one of the same batch', async () => {
  let lose: (lost: ReadonlySet<string>) => void = () => undefined
  const asked = vi.fn()
  const keeper = makeKeeper((claims) => {
    asked(claims.map(({ fence }) => fence))
    return asked.mock.calls.length > 1 ? Promise.resolve(new Set()) : new Promise((resolve) => (lose = resolve))
  })
  const first = keeper.hold(CLAIM)
  await vi.waitFor(() => expect(asked).toHaveBeenCalled())
  const second = keeper.hold({ ...CLAIM, fence: 2 })
  lose(new Set(['7']))
  await vi.waitFor(() => expect(asked.mock.calls.length).toBeGreaterThan(1))
  expect([first.signal.aborted, second.signal.aborted]).toEqual([true, false])
})
