import { expect, test, vi } from 'vitest'
import type { Remainder } from '../../../src/queue/batch.ts'
import { KEEP_REPORTS_MS } from '../../../src/queue/limits.ts'
import { type ReportCount, ReportCursorError, type SendReport } from '../../../src/queue/report.ts'
import { batchOf, linesOf, rangeBatchOf, storedLines } from '../make-batch.ts'
import { makeSend } from '../make-send.ts'
import { type ContractRig, lastPage, NOTHING_LEFT, page, required } from './contract-rig.ts'

const count = (counted: ReportCount['counted'], count: number, reason = ''): ReportCount => {
  return { provider: 'fcm', counted, reason, count }
}
const leftOut = (count: number) => {
  return { provider: 'apns', reason: 'no_notification', lines: Buffer.from('x'), count } as const
}
const RANGE = { after: undefined, until: 'ffffffff-ffff-4fff-8fff-ffffffffffff' }

export function describeReports(rig: ContractRig) {
  const report = async (uid: string): Promise<SendReport> => required(await rig.queue.loadReport(uid))
  const countsOf = async (uid: string) => {
    const { counts } = await report(uid)
    return Object.fromEntries(counts.map((each) => [[each.counted, each.reason].join(' ').trim(), each.count]))
  }
  const acknowledge = async (remainder: Partial<Remainder>, lane: 'small' | 'broadcast' = 'small') => {
    const claim = await rig.claim(lane)
    expect(await rig.queue.acknowledge(claim, { ...NOTHING_LEFT, ...remainder })).toBe('acknowledged')
    return claim
  }

  test('has the request, the times and the counts of its send', async () => {
    const before = Date.now()
    const send = makeSend({ expireAtMs: before + 60_000 })
    await rig.queue.enqueue(send, lastPage(batchOf('small', 'a', 'b'), batchOf('small', 'c')))
    expect(await report(send.uid)).toMatchObject({
      uid: send.uid,
      analyticsUid: 'analytics',
      state: 'active',
      subject: { providers: ['fcm'], recipient: { kind: 'native', provider: 'fcm', targetKind: 'token' } },
      sendAtMs: undefined,
      expireAtMs: before + 60_000,
      firstAtMs: undefined,
      lastAtMs: undefined,
      endedAtMs: undefined,
      counts: [count('target', 3)],
      delivered: 0,
      interacted: 0,
    })
    await acknowledge({ counts: [count('sent', 1), count('failed', 1, 'UNREGISTERED')] })
    await acknowledge({ counts: [count('sent', 1)] })
    expect(await countsOf(send.uid)).toEqual({ target: 3, sent: 2, 'failed UNREGISTERED': 1 })
    const { state, acceptedAtMs, firstAtMs = 0, lastAtMs = 0, endedAtMs = 0 } = await report(send.uid)
    expect(state).toBe('ended')
    const times = [acceptedAtMs, firstAtMs, lastAtMs, endedAtMs]
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(Math.abs(acceptedAtMs - before)).toBeLessThan(60_000)
  })

  test('does not count the targets of a lost claim, nor an acknowledgement twice', async () => {
    const send = await rig.enqueueSmall(['a'])
    const abandoned = await rig.claim()
    const claim = await rig.claim()
    const counts = [count('sent', 1)]
    // With calls that fail, the repetition of this call answers as if it were the first.
    await rig.queue.acknowledge(abandoned, { ...NOTHING_LEFT, counts })
    expect(await countsOf(send.uid)).toEqual({ target: 1 })
    expect(await rig.queue.acknowledge(claim, { ...NOTHING_LEFT, counts })).toBe('acknowledged')
    await rig.queue.acknowledge(claim, { ...NOTHING_LEFT, counts })
    expect(await countsOf(send.uid)).toEqual({ target: 1, sent: 1 })
  })

  test('counts many batches that are acknowledged at once, of several sends', async () => {
    const values = Array.from({ length: 20 }, (_, index) => [`t${index}`])
    const sends = [await rig.enqueueSmall(...values), await rig.enqueueSmall(...values)]
    const counts = [count('sent', 1), count('failed', 2, 'A')]
    let acknowledged = 0
    await vi.waitFor(
      async () => {
        const claims = await rig.queue.claimBatches('small', ['fcm'], 40)
        await Promise.all(
          claims.map(async (claim) => {
            const result = await rig.queue.acknowledge(claim, { ...NOTHING_LEFT, counts })
            if (result === 'acknowledged') acknowledged++
          }),
        )
        expect(acknowledged).toBe(40)
      },
      { timeout: 10_000, interval: 10 },
    )
    for (const { uid } of sends) expect(await countsOf(uid)).toEqual({ target: 20, sent: 20, 'failed A': 40 })
  })

  test('counts the targets of lines when they are stored, and leaves those of ranges to their worker', async () => {
    const { send, walk } = await rig.startWalk()
    await rig.queue.commitPage(walk, { ...page('1', batchOf('broadcast', 'a', 'b')), leftOut: [leftOut(3)] })
    await rig.queue.commitPage({ ...walk, cursor: '1' }, lastPage(rangeBatchOf(RANGE)))
    const { counts } = await report(send.uid)
    expect(counts).toContainEqual(count('target', 2))
    expect(counts).toContainEqual({ ...count('target', 3), provider: 'apns' })
    expect(counts).toContainEqual({ ...count('dropped', 3, 'no_notification'), provider: 'apns' })
    expect(counts).toHaveLength(3)
    expect(await report(send.uid)).toMatchObject({ state: 'active', endedAtMs: undefined })
  })

  test('does not count a page twice', async () => {
    const { send, walk } = await rig.startWalk()
    const last = { ...lastPage(batchOf('broadcast', 'a')), leftOut: [leftOut(1)] }
    for (let time = 0; time < 2; time++) expect(await rig.queue.commitPage(walk, last)).toBe('committed')
    expect((await report(send.uid)).counts).toHaveLength(3)
    expect((await report(send.uid)).counts).toContainEqual(count('target', 1))
  })

  test('knows which batches are retries', async () => {
    const send = await rig.enqueueSmall(['a', 'b', 'c'])
    const retry = { ...storedLines(linesOf('a')), delayMs: 0, ambiguousAttempts: 0 }
    const delayed = { ...storedLines(linesOf('b')), delayMs: 0, ambiguousAttempts: 0, startsOver: true }
    const first = await acknowledge({ retries: [retry, delayed], counts: [count('sent', 1), count('retrying', 1)] })
    expect(first.isRetry).toBe(false)
    expect(await countsOf(send.uid)).toEqual({ target: 3, sent: 1, retrying: 1 })
    const areRetries: boolean[] = []
    while (areRetries.length < 2) {
      const claim = await rig.claim()
      const counts = [count('sent', 1), count('retrying', claim.isRetry ? -1 : 0)]
      await rig.queue.acknowledge(claim, { ...NOTHING_LEFT, counts })
      areRetries.push(claim.isRetry)
    }
    expect(areRetries.toSorted()).toEqual([false, true])
    expect(await countsOf(send.uid)).toEqual({ target: 3, sent: 3 })
  })

  test('takes back the failures of dead letters that are sent again', async () => {
    const send = await rig.enqueueSmall(['a', 'b'])
    const givenUp = [{ ...storedLines(linesOf('a', 'b')), reason: 'UNAVAILABLE' }]
    await acknowledge({ givenUp, counts: [count('failed', 2, 'UNAVAILABLE')] })
    expect(await report(send.uid)).toMatchObject({ state: 'ended' })
    await rig.queue.retryDeadLetters({ uid: send.uid })
    expect(await countsOf(send.uid)).toEqual({ target: 2 })
    expect(await report(send.uid)).toMatchObject({ state: 'active', endedAtMs: undefined })
    await acknowledge({ counts: [count('sent', 2)] })
    expect(await countsOf(send.uid)).toEqual({ target: 2, sent: 2 })
    expect(await report(send.uid)).toMatchObject({ state: 'ended' })
  })

  test('of a cancelled send ends with its last batch', async () => {
    const send = await rig.enqueueSmall(['a'])
    await rig.queue.cancel(send.uid)
    expect(await report(send.uid)).toMatchObject({ state: 'cancelled', endedAtMs: undefined })
    const claim = await acknowledge({ counts: [count('cancelled', 1)] })
    expect(claim.analyticsUid).toBe('analytics')
    const ended = await report(send.uid)
    expect(ended.state).toBe('cancelled')
    expect(ended.endedAtMs).toBeGreaterThan(0)
    expect(await countsOf(send.uid)).toEqual({ target: 1, cancelled: 1 })
  })

  test('of a send that is cancelled before its time has no targets', async () => {
    const send = await rig.enqueueLater(3_600_000)
    expect(await report(send.uid)).toMatchObject({ state: 'scheduled', sendAtMs: send.sendAtMs })
    await rig.queue.cancel(send.uid)
    const { state, counts, endedAtMs } = await report(send.uid)
    expect([state, counts]).toEqual(['cancelled', []])
    expect(endedAtMs).toBeGreaterThan(0)
  })

  test('of a send that was cancelled before it arrived is cancelled', async () => {
    const send = makeSend()
    await rig.queue.cancel(send.uid)
    expect(await rig.queue.loadReport(send.uid)).toBeUndefined()
    await rig.queue.enqueue(send, lastPage(batchOf('small', 'a')))
    const { state, counts, endedAtMs } = await report(send.uid)
    expect([state, counts]).toEqual(['cancelled', []])
    expect(endedAtMs).toBeGreaterThan(0)
  })

  test('is kept when a target is excluded before the send arrives', async () => {
    const send = makeSend()
    await rig.queue.exclude(send.uid, { user: 'ann', deviceId: '' })
    expect(await rig.queue.loadReport(send.uid)).toBeUndefined()
    await rig.queue.enqueue(send, lastPage(batchOf('small', 'a')))
    expect(await countsOf(send.uid)).toEqual({ target: 1 })
  })

  test("adds apps' reports, and ignores those of unknown sends", async () => {
    const [send, other] = [await rig.enqueueSmall(['a']), await rig.enqueueSmall(['b'])]
    await rig.queue.countStatuses([
      { uid: send.uid, delivered: 2, interacted: 1 },
      { uid: 'unknown', delivered: 1, interacted: 0 },
      { uid: other.uid, delivered: 0, interacted: 3 },
    ])
    await rig.queue.countStatuses([{ uid: send.uid, delivered: 1, interacted: 0 }])
    expect(await report(send.uid)).toMatchObject({ delivered: 3, interacted: 1 })
    expect(await report(other.uid)).toMatchObject({ delivered: 0, interacted: 3 })
    expect(await rig.queue.loadReport('unknown')).toBeUndefined()
  })

  test('is listed, the latest first, page by page', async () => {
    const uids: string[] = []
    for (let number = 0; number < 5; number++) uids.push((await rig.enqueueSmall([`t${number}`])).uid)
    const found: string[] = []
    let cursor: string | undefined
    let pages = 0
    do {
      const { reports, nextCursor } = await rig.queue.listReports({}, 2, cursor)
      found.push(...reports.map(({ uid }) => uid))
      cursor = nextCursor
      pages++
    } while (cursor !== undefined)
    // Sends of the same ms are in any order.
    expect(found.toSorted()).toEqual(uids.toSorted())
    expect(pages).toBe(3)
    const all = await rig.queue.listReports({}, 10)
    const times = all.reports.map(({ acceptedAtMs }) => acceptedAtMs)
    expect(times).toEqual(times.toSorted((a, b) => b - a))
    await expect(rig.queue.listReports({}, 10, 'a b')).rejects.toThrow(ReportCursorError)
  })

  test('is found by state, by the beginning of its uid, and by its time', async () => {
    const active = makeSend({ uid: 'news-1' })
    await rig.queue.enqueue(active, lastPage(batchOf('broadcast', 'a')))
    const ended = makeSend({ uid: 'news-2' })
    await rig.queue.enqueue(ended, lastPage())
    const scheduled = makeSend({ uid: 'other', sendAtMs: Date.now() + 3_600_000 })
    await rig.queue.enqueue(scheduled)
    const cancelled = makeSend({ uid: 'nova' })
    await rig.queue.enqueue(cancelled, lastPage(batchOf('broadcast', 'b')))
    await rig.queue.cancel('nova')
    const find = async (filter: Parameters<typeof rig.queue.listReports>[0]) => {
      return (await rig.queue.listReports(filter, 10)).reports.map(({ uid }) => uid).toSorted()
    }
    expect(await find({ states: ['active'] })).toEqual(['news-1'])
    expect(await find({ states: ['ended', 'scheduled'] })).toEqual(['news-2', 'other'])
    expect(await find({ states: ['cancelled'] })).toEqual(['nova'])
    expect(await find({ uidPrefix: 'news' })).toEqual(['news-1', 'news-2'])
    expect(await find({ uidPrefix: 'n', states: ['ended', 'cancelled'] })).toEqual(['news-2', 'nova'])
    const { acceptedAtMs } = await report('other')
    expect(await find({ acceptedFromMs: acceptedAtMs + 60_000 })).toEqual([])
    expect(await find({ acceptedToMs: acceptedAtMs - 60_000 })).toEqual([])
    expect(await find({ acceptedFromMs: acceptedAtMs - KEEP_REPORTS_MS, acceptedToMs: acceptedAtMs + 60_000 })).toEqual(
      ['news-1', 'news-2', 'nova', 'other'],
    )
  })
}
