import { expect, test, vi } from 'vitest'
import { batchOf, linesOf, readLines } from '../make-batch.ts'
import { makeSend } from '../make-send.ts'
import { type ContractRig, lastPage, NOTHING_LEFT } from './contract-rig.ts'

const OTHER_HASH = Buffer.alloc(32, 2)
const PAGE = lastPage(batchOf('small', 'a'))

export function describeAccepting(rig: ContractRig) {
  test('stores batches and content byte for byte', async () => {
    const json = Buffer.from('{"n":12345678901234567890,"x":1.0,"bad":"\xff"}', 'latin1')
    const send = makeSend({ json })
    expect(await rig.queue.enqueue(send, lastPage(batchOf('small', 'a', 'b')))).toBe('accepted')
    const found = await rig.claim()
    expect(found).toMatchObject({ uid: send.uid, provider: 'fcm', targetKind: 'token', sendState: 'live', count: 2 })
    expect(readLines(found)).toEqual(linesOf('a', 'b'))
    expect(await rig.queue.loadSend(send.uid)).toEqual({ content: send.content, recipient: undefined })
  })

  test('gives the recipient and the content to fan-out', async () => {
    const filter = { ids: ['i'], users: ['u', ''], topics: ['t'], providers: ['fcm'], platforms: ['ios'] }
    const { send, walk } = await rig.startWalk({ recipient: { kind: 'filter', filter } })
    const { uid, recipient, content, cursor } = walk
    expect({ uid, recipient, content, cursor }).toEqual({
      uid: send.uid,
      recipient: send.recipient,
      content: send.content,
      cursor: undefined,
    })
  })

  test('answers a repeated request as before, and stores nothing again', async () => {
    const send = makeSend()
    await rig.queue.enqueue(send, PAGE)
    await rig.queue.enqueue(send, PAGE)
    await rig.queue.acknowledge(await rig.claim(), NOTHING_LEFT)
    await rig.expectNothing()
  })

  test('refuses another request under the same uid', async () => {
    const send = makeSend()
    await rig.queue.enqueue(send)
    expect(await rig.queue.enqueue({ ...send, requestHash: OTHER_HASH })).toBe('conflict')
  })

  test('stores one of fifty concurrent sends with the same uid', async () => {
    const send = makeSend()
    const results = await Promise.all(Array.from({ length: 50 }, () => rig.queue.enqueue(send, PAGE)))
    expect(results.filter((result) => result !== 'accepted' && result !== 'duplicate')).toEqual([])
    await rig.queue.acknowledge(await rig.claim(), NOTHING_LEFT)
    await rig.expectNothing()
  })

  test('recognises a repeated request after the send has ended', async () => {
    const send = await rig.enqueueSmall(['a'])
    await rig.queue.acknowledge(await rig.claim(), NOTHING_LEFT)
    expect(await rig.queue.enqueue({ ...send, requestHash: OTHER_HASH })).toBe('conflict')
    await rig.queue.enqueue(send, PAGE)
    await rig.expectNothing()
  })

  test('answers full at the limit of jobs, and stores nothing', () =>
    rig.withLimits({ maxJobs: 1 }, async (queue) => {
      await queue.enqueue(makeSend(), lastPage(batchOf('small', 'a'), batchOf('small', 'b')))
      // The jobs are counted from time to time, not at each send.
      const refused = await vi.waitFor(
        async () => {
          const send = makeSend()
          expect(await queue.enqueue(send)).toBe('full')
          return send
        },
        { timeout: 10_000 },
      )
      expect(await queue.loadSend(refused.uid)).toBeUndefined()
    }))

  test('does not count scheduled sends as jobs', () =>
    rig.withLimits({ maxJobs: 3 }, async (queue) => {
      const later = () => makeSend({ sendAtMs: Date.now() + 3_600_000 })
      for (let i = 0; i < 10; i++) expect(await queue.enqueue(later())).toBe('accepted')
      // The jobs are counted again after a while: if scheduled sends were among them, sends would be refused.
      await vi.waitFor(async () => expect((await queue.stats()).scheduled).toBe(10), { timeout: 10_000 })
      expect(await queue.enqueue(makeSend())).toBe('accepted')
    }))

  test('refuses scheduled sends at their own limit, and accepts others', () =>
    rig.withLimits({ maxScheduled: 2 }, async (queue) => {
      const accepted: string[] = []
      const schedule = async () => {
        const send = makeSend({ sendAtMs: Date.now() + 3_600_000 })
        const result = await queue.enqueue(send)
        if (result === 'accepted') accepted.push(send.uid)
        return { send, result }
      }
      const refused = await vi.waitFor(
        async () => {
          const { send, result } = await schedule()
          expect(result).toBe('tooManyScheduled')
          return send
        },
        { timeout: 10_000 },
      )
      expect(accepted.length).toBeGreaterThanOrEqual(2)
      expect(await queue.loadReport(refused.uid)).toBeUndefined()
      expect(await queue.enqueue(makeSend())).toBe('accepted')
      // Cancelled sends make room for others.
      for (const uid of accepted) await queue.cancel(uid)
      await vi.waitFor(async () => expect((await schedule()).result).toBe('accepted'), { timeout: 10_000 })
    }))
}
