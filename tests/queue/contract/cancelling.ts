import { expect, test } from 'vitest'
import { DEFAULT_ACK_RULE } from '../../../src/sends/ack-rule.ts'
import { batchOf, linesOf, readLines, storedLines } from '../make-batch.ts'
import { makeSend } from '../make-send.ts'
import { type ContractRig, lastPage, NOTHING_LEFT, page } from './contract-rig.ts'

const OTHER_HASH = Buffer.alloc(32, 2)

export function describeCancelling(rig: ContractRig) {
  test('stops a scheduled send', async () => {
    const send = await rig.enqueueLater(300)
    await rig.queue.cancel(send.uid)
    await rig.enqueueLater(600)
    // The cancelled send was due first, but the other one is claimed.
    expect((await rig.claimSend()).uid).not.toBe(send.uid)
    expect(await rig.queue.loadSend(send.uid)).toBeUndefined()
  })

  test('stops a walk at its next page', async () => {
    const { send, walk } = await rig.startWalk()
    await rig.queue.commitPage(walk, page('after-a', batchOf('small', 'a')))
    await rig.queue.cancel(send.uid)
    const next = { ...walk, cursor: 'after-a' }
    expect(await rig.queue.commitPage(next, lastPage(batchOf('small', 'b')))).toBe('lost')
    const found = await rig.claim()
    expect(found.sendState).toBe('cancelled')
    expect(readLines(found)).toEqual(linesOf('a'))
    await rig.queue.acknowledge(found, NOTHING_LEFT)
    await rig.expectNothing()
  })

  test('shows in later claims, also of retries, and in the state of claims', async () => {
    const send = await rig.enqueueSmall(['a'])
    const other = await rig.enqueueBroadcast(['b'])
    const found = await rig.claim()
    const claims = [found, await rig.claim('broadcast')]
    expect(await rig.queue.confirm(claims, 0)).toEqual(['valid', 'valid'])
    await rig.queue.exclude(other.uid, { user: 'u', deviceId: '' })
    expect(await rig.queue.confirm(claims, 0)).toEqual(['valid', 'excluded'])
    await rig.queue.cancel(send.uid)
    expect(await rig.queue.confirm(claims.toReversed(), 0)).toEqual(['excluded', 'cancelled'])
    expect(await rig.queue.confirm([], 0)).toEqual([])
    const retry = { ...storedLines(linesOf('a')), delayMs: 0, ambiguousAttempts: 0 }
    await rig.queue.acknowledge(found, { retries: [retry], givenUp: [] })
    expect(await rig.claim()).toMatchObject({ sendState: 'cancelled' })
  })

  test('stops a send that arrives after its cancellation', async () => {
    const send = makeSend()
    await rig.queue.cancel(send.uid)
    expect(await rig.queue.enqueue(send, lastPage(batchOf('small', 'a')))).toBe('accepted')
    expect(await rig.queue.enqueue({ ...send, requestHash: OTHER_HASH })).toBe('conflict')
    await rig.queue.enqueue(send)
    await rig.expectNothing()
    expect(await rig.queue.claimSends('broadcast', 1)).toEqual([])
  })

  test('excludes single users and devices of a send', async () => {
    const send = await rig.enqueueSmall(['a'])
    const other = await rig.enqueueBroadcast(['a'])
    expect(await rig.queue.exclude(send.uid, { user: 'ann', deviceId: '' })).toBe('excluded')
    expect(await rig.queue.exclude(send.uid, { user: '', deviceId: 'd1' })).toBe('excluded')
    expect(await rig.queue.exclude(send.uid, { user: 'bob', deviceId: 'd2' })).toBe('excluded')
    expect(await rig.claim()).toMatchObject({ uid: send.uid, sendState: 'live', hasExclusions: true })
    const targets = [
      { user: 'ann', deviceId: 'd7' },
      { user: 'zoe', deviceId: 'd1' },
      { user: 'bob', deviceId: 'd2' },
      { user: 'bob', deviceId: 'd3' },
      { user: 'zoe', deviceId: 'd2' },
      { user: '', deviceId: 'd3' },
      { user: '', deviceId: '' },
    ]
    expect(await rig.queue.findExcluded(send.uid, targets, DEFAULT_ACK_RULE)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
      false,
    ])
    expect(await rig.claim('broadcast')).toMatchObject({ uid: other.uid, hasExclusions: false })
  })

  test('excludes a user from a send that arrives after the exclusion', async () => {
    const send = makeSend()
    await rig.queue.exclude(send.uid, { user: 'ann', deviceId: '' })
    expect(await rig.queue.enqueue(send, lastPage(batchOf('small', 'a')))).toBe('accepted')
    expect(await rig.claim()).toMatchObject({ uid: send.uid, sendState: 'live', hasExclusions: true })
    expect(await rig.queue.findExcluded(send.uid, [{ user: 'ann', deviceId: 'd' }], DEFAULT_ACK_RULE)).toEqual([true])
    expect(await rig.queue.enqueue({ ...send, requestHash: OTHER_HASH })).toBe('conflict')
  })
}
