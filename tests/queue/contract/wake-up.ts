import { expect, test } from 'vitest'
import type { Lane, WorkKind } from '../../../src/queue/lane.ts'
import { batchOf, linesOf, storedLines } from '../make-batch.ts'
import { makeSend } from '../make-send.ts'
import { ALL_PROVIDERS, type ContractRig, lastPage } from './contract-rig.ts'

const never = new AbortController().signal

export function describeWakeUp(rig: ContractRig) {
  /** Makes work repeatedly: the subscription of the first wait may not be set up yet. */
  const wake = async (lane: Lane, kind: WorkKind, makeWork: () => Promise<unknown>) => {
    const waiting = rig.queue.waitForWork(lane, 60_000, never, kind)
    const made: Promise<unknown>[] = []
    const timer = setInterval(() => made.push(makeWork()), 20)
    await waiting
    clearInterval(timer)
    await Promise.all(made)
  }

  test('at a batch in its lane', () => wake('small', 'batches', () => rig.enqueueSmall(['a'])))

  test('at a send to walk in its lane', () => wake('broadcast', 'sends', () => rig.queue.enqueue(makeSend())))

  test('at a released send', async () => {
    await rig.queue.enqueue(makeSend())
    await wake('broadcast', 'sends', async () => {
      for (const walk of await rig.queue.claimSends('broadcast', 1)) await rig.queue.releaseSend(walk)
    })
  })

  test('at a page with batches for its lane', () =>
    wake('small', 'batches', async () => {
      const { walk } = await rig.startWalk()
      await rig.queue.commitPage(walk, lastPage(batchOf('small', 'a')))
    }))

  test('at a released batch and at a retry without delay', async () => {
    await rig.enqueueSmall(['a'])
    await wake('small', 'batches', async () =>
      rig.queue.release(await rig.queue.claimBatches('small', ALL_PROVIDERS, 1)),
    )
    const retry = { ...storedLines(linesOf('a')), delayMs: 0, ambiguousAttempts: 0 }
    await wake('small', 'batches', async () =>
      rig.queue.acknowledge(await rig.claim(), { retries: [retry], givenUp: [] }),
    )
  })

  test('when a provider is resumed', () => wake('broadcast', 'batches', () => rig.queue.resume('fcm')))

  test('when its signal aborts', async () => {
    const stop = new AbortController()
    const waiting = rig.queue.waitForWork('small', 60_000, stop.signal)
    stop.abort()
    expect(await waiting).toBe(false)
  })
}
