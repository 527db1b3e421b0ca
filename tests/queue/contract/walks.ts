import { expect, test, vi } from 'vitest'
import type { SendClaim } from '../../../src/queue/send.ts'
import { batchOf } from '../make-batch.ts'
import { makeSend } from '../make-send.ts'
import { type ContractRig, firstValue, LEASE_MS, lastPage, NOTHING_LEFT, page } from './contract-rig.ts'

export function describeWalks(rig: ContractRig) {
  test('begins when the send is due, not before', async () => {
    const dueMs = (Math.floor(Date.now() / 1000) + 2) * 1000
    await rig.queue.enqueue(makeSend({ sendAtMs: dueMs }))
    expect(await rig.queue.claimSends('broadcast', 1)).toEqual([])
    await rig.claimSend()
    expect(Date.now()).toBeGreaterThanOrEqual(dueMs)
  })

  test('has a lane for small sends', async () => {
    const [small, broadcast] = [makeSend({ lane: 'small' }), makeSend()]
    await rig.queue.enqueue(broadcast)
    await rig.queue.enqueue(small)
    expect(await rig.claimSend('small')).toMatchObject({ uid: small.uid })
    expect(await rig.claimSend('broadcast')).toMatchObject({ uid: broadcast.uid })
  })

  test('a claim tells whether targets are excluded already', async () => {
    const [plain, excluding] = [makeSend({ lane: 'small' }), makeSend({ lane: 'small' })]
    await rig.queue.exclude(excluding.uid, { user: 'ann', deviceId: '', ack: 'seen' })
    for (const send of [plain, excluding]) await rig.queue.enqueue(send)
    const claims = [await rig.claimSend('small'), await rig.claimSend('small')]
    expect(new Map(claims.map(({ uid, hasExclusions }) => [uid, hasExclusions]))).toEqual(
      new Map([
        [plain.uid, false],
        [excluding.uid, true],
      ]),
    )
  })

  test('claims several sends at once, each for one worker', async () => {
    const uids: string[] = []
    for (let i = 0; i < 3; i++) {
      const send = makeSend()
      await rig.queue.enqueue(send)
      uids.push(send.uid)
    }
    const claimed: SendClaim[] = []
    while (claimed.length < 2) claimed.push(...(await rig.queue.claimSends('broadcast', 2 - claimed.length)))
    expect(uids).toEqual(expect.arrayContaining(claimed.map(({ uid }) => uid)))
    expect(new Set(claimed.map(({ uid }) => uid)).size).toBe(2)
  })

  test('continues in another worker after the last committed page, and stores no page twice', async () => {
    const { walk: first } = await rig.startWalk()
    expect(await rig.queue.commitPage(first, page('after-a', batchOf('small', 'a')))).toBe('committed')
    const second = await rig.claimSend()
    expect(second.cursor).toBe('after-a')
    const late = { ...first, cursor: 'after-a' }
    expect(await rig.queue.commitPage(late, page('after-b', batchOf('small', 'b')))).toBe('lost')
    expect(await rig.queue.commitPage(second, lastPage(batchOf('small', 'b')))).toBe('committed')
    expect(await rig.claimAll(2)).toEqual(['a', 'b'])
    await rig.expectNothing()
  })

  test('stores a page once, even if it is committed repeatedly', async () => {
    const { walk } = await rig.startWalk()
    const [first, last] = [page('after-a', batchOf('small', 'a')), lastPage(batchOf('small', 'b'))]
    expect(await rig.queue.commitPage(walk, first)).toBe('committed')
    expect(await rig.queue.commitPage(walk, first)).toBe('committed')
    const next = { ...walk, cursor: 'after-a' }
    expect(await rig.queue.commitPage(next, last)).toBe('committed')
    expect(await rig.queue.commitPage(next, last)).toBe('committed')
    expect(await rig.claimAll(2)).toEqual(['a', 'b'])
    await rig.expectNothing()
  })

  test('refuses a page that does not follow the last committed one', async () => {
    const { walk } = await rig.startWalk()
    await rig.queue.commitPage(walk, page('after-a', batchOf('small', 'a')))
    const elsewhere = { ...walk, cursor: 'elsewhere' }
    expect(await rig.queue.commitPage(elsewhere, page('after-b', batchOf('small', 'b')))).toBe('lost')
  })

  test('can be claimed again at once after a release, as can other waiting sends', async () => {
    const { send: first, walk } = await rig.startWalk()
    const second = makeSend()
    await rig.queue.enqueue(second)
    await rig.queue.commitPage(walk, page('after-a', batchOf('small', 'a')))
    await rig.queue.releaseSend(walk)
    const claims = [await rig.claimSend(), await rig.claimSend()]
    expect(new Map(claims.map(({ uid, cursor }) => [uid, cursor]))).toEqual(
      new Map([
        [first.uid, 'after-a'],
        [second.uid, undefined],
      ]),
    )
  })

  test('stays with the worker that extends its lease', async () => {
    const { walk } = await rig.startWalk()
    const left = makeSend()
    await rig.queue.enqueue(left)
    const beats: Promise<unknown>[] = []
    const heartbeat = setInterval(() => beats.push(rig.queue.extendWalk(walk)), LEASE_MS / 5)
    try {
      await rig.claimSend()
      // The lease of the other send, which is not extended, ended later than the first lease would have.
      expect((await rig.claimSend()).uid).toBe(left.uid)
      expect(await rig.queue.commitPage(walk, lastPage(batchOf('small', 'a')))).toBe('committed')
    } finally {
      clearInterval(heartbeat)
      await Promise.all(beats)
    }
  })

  test('ends the send if all its batches were acknowledged before the last page', async () => {
    const { send, walk } = await rig.startWalk()
    await rig.queue.commitPage(walk, page('after-a', batchOf('small', 'a')))
    await rig.queue.acknowledge(await rig.claim(), NOTHING_LEFT)
    await rig.queue.commitPage({ ...walk, cursor: 'after-a' }, lastPage())
    expect(await rig.queue.loadSend(send.uid)).toBeUndefined()
  })

  test('stores no page while a provider has 200 waiting broadcast batches, and continues after one ends', async () => {
    const { walk } = await rig.startWalk()
    const many = page('more', ...Array.from({ length: 200 }, (_, i) => batchOf('broadcast', `t${i}`)))
    await rig.fill(walk, many)
    const at = { ...walk, cursor: 'more' }
    expect(await rig.queue.commitPage(at, lastPage(batchOf('broadcast', 'last')))).toBe('full')
    await rig.queue.acknowledge(await rig.claim('broadcast'), NOTHING_LEFT)
    expect(await rig.queue.commitPage(at, lastPage(batchOf('broadcast', 'last')))).toBe('committed')
  })

  test('stores delayed batches, which are claimable later and do not stop walks', async () => {
    const { walk } = await rig.startWalk()
    const delayed = Array.from({ length: 250 }, (_, i) => ({ ...batchOf('broadcast', `t${i}`), delayMs: 3_600_000 }))
    expect(await rig.queue.commitPage(walk, page('1', ...delayed))).toBe('committed')
    const next = { ...walk, cursor: '1' }
    expect(await rig.queue.commitPage(next, lastPage(batchOf('broadcast', 'now')))).toBe('committed')
    expect(firstValue(await rig.claim('broadcast'))).toBe('now')
    await rig.expectNothing('broadcast')
  })

  test('commits the pages of many small sends at once, each for itself', async () => {
    for (let i = 0; i < 70; i++) await rig.queue.enqueue(makeSend({ lane: 'small' }))
    // If the answer of a claim is lost, all of them can be claimed again after a lease.
    const walks = await vi.waitFor(
      async () => {
        const claims = await rig.queue.claimSends('small', 70)
        expect(claims).toHaveLength(70)
        return claims
      },
      { timeout: 10_000, interval: 10 },
    )
    const [cancelled, empty, stale] = walks
    if (!cancelled || !empty || !stale) throw new Error('the sends should be claimed')
    await rig.queue.cancel(cancelled.uid)
    const commit = () =>
      Promise.all(
        walks.map((walk) =>
          rig.queue.commitPage(
            walk === stale ? { ...walk, fence: walk.fence - 1 } : walk,
            walk === empty ? lastPage() : lastPage(batchOf('small', `a of ${walk.uid}`), batchOf('small', 'b')),
          ),
        ),
      )
    const expected = walks.map((walk) => (walk === cancelled || walk === stale ? 'lost' : 'committed'))
    expect(await commit()).toEqual(expected)
    expect(await commit()).toEqual(expected)
    const stats = await rig.queue.stats()
    expect(stats.waiting.get('fcm')).toBe(2 * (walks.length - 3))
    const first = await rig.claim()
    expect(firstValue(first)).toBe(`a of ${first.uid}`)
    expect((await rig.queue.loadReport(first.uid))?.counts).toMatchObject([{ counted: 'target', count: 2 }])
    expect(await rig.queue.loadReport(empty.uid)).toMatchObject({ state: 'ended' })
    expect(await rig.queue.loadReport(stale.uid)).toMatchObject({ state: 'active' })
  })
}
