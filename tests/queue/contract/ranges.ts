import { expect, test } from 'vitest'
import type { DeviceRange, NewBatch } from '../../../src/queue/batch.ts'
import type { Send } from '../../../src/queue/send.ts'
import { batchOf, linesOf, rangeBatchOf, readLines, storedLines } from '../make-batch.ts'
import { type ContractRig, lastPage, NOTHING_LEFT, page } from './contract-rig.ts'

const uuidOf = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
const FIRST: DeviceRange = { after: undefined, until: uuidOf(500) }
const SECOND: DeviceRange = { after: uuidOf(500), until: uuidOf(1000) }
const AT_ONCE = { count: 500, delayMs: 0, ambiguousAttempts: 0 }
const FILTER = { ids: [], users: [], topics: ['t'], providers: ['fcm', 'apns'], platforms: ['ios'] }

const rangeTargets = (range: DeviceRange) => ({ kind: 'range', range }) as const

export function describeRanges(rig: ContractRig) {
  const store = async (...batches: NewBatch[]): Promise<Send> => {
    const { send, walk } = await rig.startWalk({ recipient: { kind: 'filter', filter: FILTER } })
    expect(await rig.queue.commitPage(walk, lastPage(...batches))).toBe('committed')
    return send
  }

  test('is claimed as it was stored', async () => {
    const send = await store(rangeBatchOf(FIRST), { ...rangeBatchOf(SECOND), provider: 'apns', count: 7 })
    const [fcm, apns] = [await rig.claim('broadcast', ['fcm']), await rig.claim('broadcast', ['apns'])]
    const common = { uid: send.uid, lane: 'broadcast', targetKind: 'token', sendState: 'live', finished: undefined }
    expect(fcm).toMatchObject({ ...common, provider: 'fcm', count: 500, targets: rangeTargets(FIRST) })
    expect(apns).toMatchObject({ ...common, provider: 'apns', count: 7, targets: rangeTargets(SECOND) })
  })

  test('is one of two batches with different ids if a page has the same range for two providers', async () => {
    const send = await store(rangeBatchOf(FIRST), { ...rangeBatchOf(FIRST), provider: 'apns' })
    const [fcm, apns] = [await rig.claim('broadcast', ['fcm']), await rig.claim('broadcast', ['apns'])]
    expect(fcm.id).not.toBe(apns.id)
    expect(await rig.queue.acknowledge(fcm, NOTHING_LEFT)).toBe('acknowledged')
    expect(await rig.queue.loadSend(send.uid)).toBeDefined()
    expect(await rig.queue.acknowledge(apns, NOTHING_LEFT)).toBe('acknowledged')
    expect(await rig.queue.loadSend(send.uid)).toBeUndefined()
  })

  test('is claimed again with the next attempt after an abandoned claim', async () => {
    await store(rangeBatchOf(SECOND))
    const abandoned = await rig.claim('broadcast')
    const recovered = await rig.claim('broadcast')
    expect(recovered).toMatchObject({ id: abandoned.id, targets: rangeTargets(SECOND) })
    expect(recovered.attempt).toBeGreaterThan(abandoned.attempt)
    expect(await rig.queue.confirm([abandoned], 0)).toEqual(['lost'])
    expect(await rig.queue.acknowledge(recovered, NOTHING_LEFT)).toBe('acknowledged')
    await rig.expectNothing('broadcast')
  })

  test('is claimable at once after a release, and no attempt is counted', async () => {
    await store(rangeBatchOf(FIRST))
    const found = await rig.claim('broadcast')
    await rig.queue.release([found])
    const again = await rig.claim('broadcast')
    expect(again).toMatchObject({ uid: found.uid, targets: rangeTargets(FIRST) })
    expect(again.attempt).toBeLessThanOrEqual(found.attempt)
  })

  test('can have retries with lines and with a range', async () => {
    const send = await store(rangeBatchOf(FIRST))
    const rest = { after: uuidOf(200), until: uuidOf(500) }
    const lines = { ...AT_ONCE, ...storedLines(linesOf('a', 'b')), ambiguousAttempts: 1 }
    const retries = [lines, { ...AT_ONCE, targets: rangeTargets(rest), startsOver: true }]
    const found = await rig.claim('broadcast')
    expect(await rig.queue.acknowledge(found, { retries, givenUp: [] })).toBe('acknowledged')
    const claims = [await rig.claim('broadcast'), await rig.claim('broadcast')]
    const byKind = new Map(claims.map((claim) => [claim.targets.kind, claim]))
    const lineBatch = byKind.get('lines')
    expect(lineBatch && readLines(lineBatch)).toEqual(linesOf('a', 'b'))
    expect(lineBatch).toMatchObject({ count: 2, ambiguousAttempts: 1 })
    expect(byKind.get('range')).toMatchObject({ count: 500, targets: rangeTargets(rest), ambiguousAttempts: 0 })
    for (const claim of claims) expect(await rig.queue.acknowledge(claim, NOTHING_LEFT)).toBe('acknowledged')
    expect(await rig.queue.loadSend(send.uid)).toBeUndefined()
  })

  test('can become a dead letter, and is a range batch again when that is retried', async () => {
    const send = await store(rangeBatchOf(SECOND))
    const targets = rangeTargets(SECOND)
    const givenUp = [{ targets, count: 500, reason: 'UNAVAILABLE' }]
    await rig.queue.acknowledge(await rig.claim('broadcast'), { retries: [], givenUp })
    expect(await rig.queue.listDeadLetters({}, 10)).toMatchObject([{ uid: send.uid, targets, count: 500 }])
    await rig.queue.retryDeadLetters({ uid: send.uid })
    const found = await rig.claim('broadcast')
    expect(found).toMatchObject({ uid: send.uid, targets, count: 500, sendState: 'live' })
    expect(await rig.queue.loadSend(send.uid)).toEqual({ content: send.content, recipient: send.recipient })
    expect(await rig.queue.listDeadLetters({}, 10)).toEqual([])
    expect(await rig.queue.acknowledge(found, NOTHING_LEFT)).toBe('acknowledged')
    await rig.expectNothing('broadcast')
  })

  test('finds the recipient of its send until the send has ended', async () => {
    const send = await store(rangeBatchOf(FIRST), rangeBatchOf(SECOND))
    const stored = { content: send.content, recipient: send.recipient }
    expect(await rig.queue.loadSend(send.uid)).toEqual(stored)
    await rig.queue.acknowledge(await rig.claim('broadcast'), NOTHING_LEFT)
    expect(await rig.queue.loadSend(send.uid)).toEqual(stored)
    await rig.queue.acknowledge(await rig.claim('broadcast'), NOTHING_LEFT)
    expect(await rig.queue.loadSend(send.uid)).toBeUndefined()
  })

  test('finds the recipient before the walk of its send has ended', async () => {
    const { send, walk } = await rig.startWalk({ recipient: { kind: 'filter', filter: FILTER } })
    await rig.queue.commitPage(walk, page('after-first', rangeBatchOf(FIRST)))
    expect(await rig.claim('broadcast')).toMatchObject({ targets: rangeTargets(FIRST) })
    expect(await rig.queue.loadSend(send.uid)).toEqual({ content: send.content, recipient: send.recipient })
  })

  test('of a cancelled send is claimed as cancelled, and finds the recipient until all batches end', async () => {
    const send = await store(rangeBatchOf(FIRST), rangeBatchOf(SECOND))
    await rig.queue.cancel(send.uid)
    for (let batch = 0; batch < 2; batch++) {
      const found = await rig.claim('broadcast')
      expect(found.sendState).toBe('cancelled')
      expect(await rig.queue.loadSend(send.uid)).toEqual({ content: undefined, recipient: send.recipient })
      expect(await rig.queue.acknowledge(found, NOTHING_LEFT)).toBe('acknowledged')
    }
    expect(await rig.queue.loadSend(send.uid)).toBeUndefined()
  })

  test('counts for back-pressure like a batch of lines', async () => {
    const { walk } = await rig.startWalk({ recipient: { kind: 'filter', filter: FILTER } })
    const ranges = Array.from({ length: 200 }, (_, n) => rangeBatchOf({ after: uuidOf(n), until: uuidOf(n + 1) }))
    await rig.fill(walk, page('more', ...ranges))
    const at = { ...walk, cursor: 'more' }
    expect(await rig.queue.commitPage(at, lastPage(rangeBatchOf(FIRST)))).toBe('full')
    expect(await rig.queue.commitPage(at, lastPage(batchOf('broadcast', 'a')))).toBe('full')
    await rig.queue.acknowledge(await rig.claim('broadcast'), NOTHING_LEFT)
    expect(await rig.queue.commitPage(at, lastPage(rangeBatchOf(FIRST)))).toBe('committed')
  })
}
