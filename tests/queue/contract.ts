// What every implementation of the queue promises. Each case gets a queue of its own, and runs twice: on the queue as it
// is, and through one whose calls fail one time in ten, before or after having done their work.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ProviderName } from '../../src/config/provider-names.ts'
import type { BatchClaim, NewBatch } from '../../src/queue/batch.ts'
import type { Lane } from '../../src/queue/lane.ts'
import type { Page, Send, SendClaim } from '../../src/queue/send.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { injectFaults, makeRandom, repeatFailed } from './faults.ts'
import { makeSend } from './make-send.ts'

export interface QueueUnderTest {
  queue: Queue
  close(): Promise<void>
}

export type StartQueue = (options: { leaseMs: number; maxJobs: number }) => Promise<QueueUnderTest>

/** Long enough for a case to work in, short enough to be waited for where a case is about its end. */
const LEASE_MS = 500

const ALL: ProviderName[] = ['fcm', 'hms', 'apns', 'webpush']
const NOTHING_LEFT = { retries: [], givenUp: [] }

export function describeQueue(name: string, start: StartQueue) {
  describe(`the queue on ${name}`, () => describeContract(start))
  let seed = 1
  const startFaulty: StartQueue = async (options) => {
    const { queue, close } = await start(options)
    return { queue: repeatFailed(injectFaults(queue, makeRandom(seed++))), close }
  }
  describe(`the queue on ${name} when calls fail`, () => describeContract(startFaulty))
}

function describeContract(start: StartQueue) {
  let underTest: QueueUnderTest
  let queue: Queue

  beforeEach(async () => {
    underTest = await start({ leaseMs: LEASE_MS, maxJobs: 1000 })
    queue = underTest.queue
  })
  afterEach(() => underTest.close())

  const tryToClaim = async (lane: Lane, providers = ALL): Promise<BatchClaim | undefined> =>
    (await queue.claimBatches(lane, providers, 1))[0]
  /** A claim whose answer did not arrive is nobody's until its lease ends: so it is waited for. */
  const claim = (lane: Lane = 'small', providers = ALL): Promise<BatchClaim> =>
    vi.waitFor(async () => required(await tryToClaim(lane, providers)), { timeout: 10_000, interval: 10 })
  const claimSend = (lane: Lane = 'broadcast'): Promise<SendClaim> =>
    vi.waitFor(async () => required((await queue.claimSends(lane, 1))[0]), { timeout: 10_000, interval: 10 })
  const enqueueOne = async (...batches: NewBatch[]): Promise<Send> => {
    const send = makeSend()
    await queue.enqueue(send, { batches, cursor: undefined })
    return send
  }
  /** Shows that nothing that was due before it is left: the queue hands out what has waited longest. */
  const expectNothing = async (lane: Lane = 'small') => {
    const marker = await enqueueOne({ ...batch('marker'), lane })
    const found = await claim(lane)
    expect(found).toMatchObject({ uid: marker.uid })
    await queue.acknowledge(found, NOTHING_LEFT)
  }

  describe('accepting', () => {
    test('hands out what was stored, byte for byte', async () => {
      const json = Buffer.from('{"n":12345678901234567890,"x":1.0,"bad":"\xff"}', 'latin1')
      const send = makeSend({ json })
      expect(await queue.enqueue(send, lastPage(batch('a', 'b')))).toBe('accepted')
      const found = await claim()
      expect(found).toMatchObject({ uid: send.uid, provider: 'fcm', targetKind: 'token', sendState: 'live', count: 2 })
      expect(found.lines).toEqual(linesOf('a', 'b'))
      expect(await queue.loadContent(send.uid)).toEqual(send.content)
    })

    test('hands out to fan-out what it has to walk', async () => {
      const filter = { ids: ['i'], users: ['u', ''], topics: ['t'], providers: ['fcm'], platforms: ['ios'] }
      const send = makeSend({ recipient: { kind: 'filter', filter } })
      await queue.enqueue(send)
      const { uid, recipient, content, cursor } = await claimSend()
      expect({ uid, recipient, content, cursor }).toEqual({
        uid: send.uid,
        recipient: send.recipient,
        content: send.content,
        cursor: undefined,
      })
    })

    test('answers a repeated request as before and sends nothing again', async () => {
      const send = makeSend()
      await queue.enqueue(send, lastPage(batch('a')))
      await queue.enqueue(send, lastPage(batch('a')))
      await queue.acknowledge(await claim(), NOTHING_LEFT)
      await expectNothing()
    })

    test('refuses another request under the same uid', async () => {
      const send = makeSend()
      await queue.enqueue(send)
      expect(await queue.enqueue({ ...send, requestHash: Buffer.alloc(32, 2) })).toBe('conflict')
    })

    test('stores one send of fifty that come at once under one uid', async () => {
      const send = makeSend()
      const results = await Promise.all(Array.from({ length: 50 }, () => queue.enqueue(send, lastPage(batch('a')))))
      expect(results.filter((result) => result !== 'accepted' && result !== 'duplicate')).toEqual([])
      await queue.acknowledge(await claim(), NOTHING_LEFT)
      await expectNothing()
    })

    test('still knows a repeat after the send has ended', async () => {
      const send = await enqueueOne(batch('a'))
      await queue.acknowledge(await claim(), NOTHING_LEFT)
      expect(await queue.enqueue({ ...send, requestHash: Buffer.alloc(32, 2) })).toBe('conflict')
      await queue.enqueue(send, lastPage(batch('a')))
      await expectNothing()
    })

    test('is full at its limit and stores nothing then', async () => {
      const small = await start({ leaseMs: LEASE_MS, maxJobs: 1 })
      try {
        await small.queue.enqueue(makeSend(), lastPage(batch('a'), batch('b')))
        // The depth is looked at now and then, not at each send.
        const refused = await vi.waitFor(
          async () => {
            const send = makeSend()
            expect(await small.queue.enqueue(send)).toBe('full')
            return send
          },
          { timeout: 10_000 },
        )
        expect(await small.queue.loadContent(refused.uid)).toBeUndefined()
      } finally {
        await small.close()
      }
    })

    test('is not full of what is for later', async () => {
      const small = await start({ leaseMs: LEASE_MS, maxJobs: 3 })
      try {
        const later = () => makeSend({ sendAtMs: Date.now() + 3_600_000 })
        for (let i = 0; i < 10; i++) expect(await small.queue.enqueue(later())).toBe('accepted')
        // The depth is counted again after a while: with it grown, sends for now would be refused.
        await vi.waitFor(async () => expect((await small.queue.stats()).scheduled).toBe(10), { timeout: 10_000 })
        expect(await small.queue.enqueue(makeSend())).toBe('accepted')
      } finally {
        await small.close()
      }
    })
  })

  describe('walking a send', () => {
    test('begins when its time has come, not before', async () => {
      const dueMs = (Math.floor(Date.now() / 1000) + 2) * 1000
      await queue.enqueue(makeSend({ sendAtMs: dueMs }))
      expect(await queue.claimSends('broadcast', 1)).toEqual([])
      await claimSend()
      expect(Date.now()).toBeGreaterThanOrEqual(dueMs)
    })

    test('has a lane for small sends', async () => {
      const [small, broadcast] = [makeSend({ lane: 'small' }), makeSend()]
      await queue.enqueue(broadcast)
      await queue.enqueue(small)
      expect(await claimSend('small')).toMatchObject({ uid: small.uid })
      expect(await claimSend('broadcast')).toMatchObject({ uid: broadcast.uid })
    })

    test('hands out several at once, those due for longest first', async () => {
      const uids: string[] = []
      for (let i = 0; i < 3; i++) {
        const send = makeSend()
        await queue.enqueue(send)
        uids.push(send.uid)
      }
      const claimed: SendClaim[] = []
      while (claimed.length < 2) claimed.push(...(await queue.claimSends('broadcast', 2 - claimed.length)))
      expect(uids).toEqual(expect.arrayContaining(claimed.map(({ uid }) => uid)))
      expect(new Set(claimed.map(({ uid }) => uid)).size).toBe(2)
    })

    test('goes on in another worker where the last page was committed, and writes no page twice', async () => {
      await queue.enqueue(makeSend())
      const first = await claimSend()
      expect(await queue.commitPage(first, page('after-a', batch('a')))).toBe('committed')
      const second = await claimSend()
      expect(second.cursor).toBe('after-a')
      const late = { ...first, cursor: 'after-a' }
      expect(await queue.commitPage(late, page('after-b', batch('b')))).toBe('lost')
      expect(await queue.commitPage(second, lastPage(batch('b')))).toBe('committed')
      expect(await claimAll(['a', 'b'])).toEqual(['a', 'b'])
      await expectNothing()
    })

    test('writes a page once however often it is committed', async () => {
      await queue.enqueue(makeSend())
      const walk = await claimSend()
      const [first, last] = [page('after-a', batch('a')), lastPage(batch('b'))]
      expect(await queue.commitPage(walk, first)).toBe('committed')
      expect(await queue.commitPage(walk, first)).toBe('committed')
      const next = { ...walk, cursor: 'after-a' }
      expect(await queue.commitPage(next, last)).toBe('committed')
      expect(await queue.commitPage(next, last)).toBe('committed')
      expect(await claimAll(['a', 'b'])).toEqual(['a', 'b'])
      await expectNothing()
    })

    test('refuses a page that is not the next one', async () => {
      await queue.enqueue(makeSend())
      const walk = await claimSend()
      await queue.commitPage(walk, page('after-a', batch('a')))
      expect(await queue.commitPage({ ...walk, cursor: 'elsewhere' }, page('after-b', batch('b')))).toBe('lost')
    })

    test('is handed on when it is released, and others that wait come too', async () => {
      const [first, second] = [makeSend(), makeSend()]
      await queue.enqueue(first)
      const walk = await claimSend()
      await queue.enqueue(second)
      await queue.commitPage(walk, page('after-a', batch('a')))
      await queue.releaseSend(walk)
      const claims = [await claimSend(), await claimSend()]
      expect(new Map(claims.map(({ uid, cursor }) => [uid, cursor]))).toEqual(
        new Map([
          [first.uid, 'after-a'],
          [second.uid, undefined],
        ]),
      )
    })

    test('stays with the worker that extends its lease', async () => {
      const [kept, left] = [makeSend(), makeSend()]
      await queue.enqueue(kept)
      const walk = await claimSend()
      await queue.enqueue(left)
      const beats: Promise<unknown>[] = []
      const heartbeat = setInterval(() => beats.push(queue.extendWalk(walk)), LEASE_MS / 5)
      try {
        await claimSend()
        // The other one's lease ends first; it shows that the time of both was over.
        expect((await claimSend()).uid).toBe(left.uid)
        expect(await queue.commitPage(walk, lastPage(batch('a')))).toBe('committed')
      } finally {
        clearInterval(heartbeat)
        await Promise.all(beats)
      }
    })

    test('ends the send even if its batches were all acknowledged before the last page', async () => {
      const send = makeSend()
      await queue.enqueue(send)
      const walk = await claimSend()
      await queue.commitPage(walk, page('after-a', batch('a')))
      await queue.acknowledge(await claim(), NOTHING_LEFT)
      await queue.commitPage({ ...walk, cursor: 'after-a' }, lastPage())
      expect(await queue.loadContent(send.uid)).toBeUndefined()
    })

    test('waits while a provider has 200 broadcast batches waiting, and goes on when one is gone', async () => {
      await queue.enqueue(makeSend())
      const walk = await claimSend()
      const many = page('more', ...Array.from({ length: 200 }, (_, i) => broadcast(`t${i}`)))
      expect(await queue.commitPage(walk, many)).toBe('committed')
      const at = { ...walk, cursor: 'more' }
      expect(await queue.commitPage(at, lastPage(broadcast('last')))).toBe('full')
      await queue.acknowledge(await claim('broadcast'), NOTHING_LEFT)
      expect(await queue.commitPage(at, lastPage(broadcast('last')))).toBe('committed')
    })
  })

  /** Claims and acknowledges until these were seen; resolves to their first targets in the order they came. */
  const claimAll = async (expected: string[]): Promise<string[]> => {
    const seen: string[] = []
    while (seen.length < expected.length) {
      const found = await claim()
      seen.push(firstValue(found))
      await queue.acknowledge(found, NOTHING_LEFT)
    }
    return seen.toSorted()
  }

  describe('sending a batch', () => {
    test('belongs to one worker at a time', async () => {
      await enqueueOne(...Array.from({ length: 20 }, (_, i) => batch(`t${i}`)))
      const acknowledged: string[] = []
      const work = async () => {
        for (const found of await queue.claimBatches('small', ALL, 3)) {
          if ((await queue.acknowledge(found, NOTHING_LEFT)) === 'acknowledged') acknowledged.push(firstValue(found))
        }
      }
      await vi.waitFor(
        async () => {
          await Promise.all(Array.from({ length: 10 }, work))
          expect(acknowledged.length).toBeGreaterThanOrEqual(20)
        },
        { timeout: 10_000 },
      )
      expect(new Set(acknowledged).size).toBe(acknowledged.length)
    })

    test('goes to another worker when the lease ends, and the first one can no longer acknowledge', async () => {
      await enqueueOne(batch('a'))
      const dead = await claim()
      const heir = await claim()
      expect(heir.id).toBe(dead.id)
      expect(heir.attempt).toBeGreaterThan(dead.attempt)
      expect(await queue.extend([dead])).toEqual(new Set([dead.id]))
      await queue.acknowledge(dead, { retries: [{ ...targets('a'), delayMs: 0, ambiguousAttempts: 0 }], givenUp: [] })
      expect(await queue.extend([heir])).toEqual(new Set())
      expect(await queue.acknowledge(heir, NOTHING_LEFT)).toBe('acknowledged')
      await expectNothing()
    })

    test('stays with the worker that extends its lease', async () => {
      await enqueueOne(batch('a'))
      const kept = await claim()
      const beats: Promise<unknown>[] = []
      const heartbeat = setInterval(() => beats.push(queue.extend([kept])), LEASE_MS / 5)
      try {
        await enqueueOne(batch('b'))
        await claim()
        // The other one's lease ends first; it shows that the time of both was over.
        expect((await claim()).id).not.toBe(kept.id)
        expect(await queue.acknowledge(kept, NOTHING_LEFT)).toBe('acknowledged')
      } finally {
        clearInterval(heartbeat)
        await Promise.all(beats)
      }
    })

    test('leaves for later what is to be retried, and only that', async () => {
      await enqueueOne(batch('a', 'b', 'c'))
      const found = await claim()
      const retries = [{ ...targets('b'), delayMs: 300, ambiguousAttempts: 1 }]
      expect(await queue.acknowledge(found, { retries, givenUp: [] })).toBe('acknowledged')
      expect(await tryToClaim('small')).toBeUndefined()
      const again = await claim()
      expect(again).toMatchObject({ ambiguousAttempts: 1, lines: linesOf('b') })
      expect(again.attempt).toBeGreaterThan(found.attempt)
      expect(again.ageMs).toBeGreaterThanOrEqual(300)
    })

    test('counts attempts and their age anew for what was only kept waiting', async () => {
      await enqueueOne(batch('a'))
      const failed = { ...targets('a'), delayMs: 0, ambiguousAttempts: 1 }
      for (let failures = 0; failures < 4; failures++) {
        await queue.acknowledge(await claim(), { retries: [failed], givenUp: [] })
      }
      const last = await claim()
      await queue.acknowledge(last, { retries: [{ ...failed, delayMs: 1000, startsOver: true }], givenUp: [] })
      const afresh = await claim()
      expect(afresh.attempt).toBeLessThan(last.attempt)
      expect(afresh.ageMs).toBeLessThan(1000)
      expect(afresh.ambiguousAttempts).toBe(1)
    })

    test('ends its send when no retry is left', async () => {
      const send = await enqueueOne(batch('a'), batch('b'))
      await queue.acknowledge(await claim(), {
        retries: [{ ...targets('a'), delayMs: 0, ambiguousAttempts: 0 }],
        givenUp: [],
      })
      await queue.acknowledge(await claim(), NOTHING_LEFT)
      expect(await queue.loadContent(send.uid)).toEqual(send.content)
      await queue.acknowledge(await claim(), NOTHING_LEFT)
      expect(await queue.loadContent(send.uid)).toBeUndefined()
    })

    test('ends its send when many batches are acknowledged at once', async () => {
      const send = await enqueueOne(...Array.from({ length: 60 }, (_, i) => batch(`t${i}`)))
      const work = async () => {
        const claims = await queue.claimBatches('small', ALL, 7)
        await Promise.all(claims.map((found) => queue.acknowledge(found, NOTHING_LEFT)))
      }
      await vi.waitFor(
        async () => {
          await Promise.all(Array.from({ length: 4 }, work))
          expect(await queue.loadContent(send.uid)).toBeUndefined()
        },
        { timeout: 10_000, interval: 1 },
      )
    })

    test('can be given back: at once claimable, no attempt counted', async () => {
      await enqueueOne(batch('a'))
      const found = await claim()
      await queue.release([found])
      const again = await claim()
      expect(again.attempt).toBeLessThanOrEqual(found.attempt)
      expect(await queue.extend([found])).toEqual(new Set([found.id]))
    })

    test('that is given back keeps what an earlier worker noted as settled', async () => {
      await enqueueOne(batch('a', 'b', 'c'))
      await queue.checkpoint([{ claim: await claim(), settled: Uint8Array.of(0b101) }])
      await queue.release([await claim()])
      expect(Buffer.from((await claim()).settled ?? [])).toEqual(Buffer.of(0b101))
    })

    test('can be for later: nobody gets it before its time, and it keeps its send from ending', async () => {
      const send = await enqueueOne({ ...batch('later'), delayMs: 2500 }, batch('now'))
      const found = await claim()
      expect(firstValue(found)).toBe('now')
      await queue.acknowledge(found, NOTHING_LEFT)
      await expectNothing()
      expect(await queue.loadContent(send.uid)).toEqual(send.content)
      const later = await claim()
      expect(later).toMatchObject({ lines: linesOf('later') })
      expect(later.ageMs).toBeLessThan(2500)
      await queue.acknowledge(later, NOTHING_LEFT)
      expect(await queue.loadContent(send.uid)).toBeUndefined()
    })

    test('for later that a walk writes waits too, and holds up no walk', async () => {
      await queue.enqueue(makeSend())
      const walk = await claimSend()
      const manyForLater = Array.from({ length: 250 }, (_, i) => ({ ...broadcast(`t${i}`), delayMs: 3_600_000 }))
      expect(await queue.commitPage(walk, page('1', ...manyForLater))).toBe('committed')
      const next = { ...walk, cursor: '1' }
      expect(await queue.commitPage(next, lastPage(broadcast('now')))).toBe('committed')
      expect(firstValue(await claim('broadcast'))).toBe('now')
      await expectNothing('broadcast')
    })

    test('is claimed by lane and by provider', async () => {
      await enqueueOne(batch('a'), broadcast('b'), { ...batch('c'), provider: 'apns' })
      expect(firstValue(await claim('broadcast'))).toBe('b')
      expect(firstValue(await claim('small', ['apns']))).toBe('c')
      expect(await tryToClaim('small', ['hms'])).toBeUndefined()
    })

    test('knows when its send expires, and when it has', async () => {
      const inAnHour = makeSend({ expireAtMs: Date.now() + 3_600_000 })
      await queue.enqueue(inAnHour, lastPage(batch('a')))
      const live = await claim()
      expect(live.sendState).toBe('live')
      expect(live.expiresInMs).toBeGreaterThan(3_000_000)
      expect(live.expiresInMs).toBeLessThanOrEqual(3_600_000)
      await queue.acknowledge(live, NOTHING_LEFT)
      await queue.enqueue(makeSend({ expireAtMs: Date.now() - 1000 }), lastPage(batch('b')))
      expect(await claim()).toMatchObject({ sendState: 'expired' })
    })

    test('hands to the next worker what the last one noted as settled, unless it had lost the batch', async () => {
      await enqueueOne(batch('a', 'b', 'c'))
      const dead = await claim()
      expect(dead.settled ?? new Uint8Array()).toEqual(new Uint8Array())
      await queue.checkpoint([{ claim: dead, settled: Uint8Array.of(0b101) }])
      const heir = await claim()
      expect(Buffer.from(heir.settled ?? [])).toEqual(Buffer.of(0b101))
      await queue.checkpoint([{ claim: dead, settled: Uint8Array.of(0b111) }])
      const next = await claim()
      expect(Buffer.from(next.settled ?? [])).toEqual(Buffer.of(0b101))
    })
  })

  describe('cancelling', () => {
    test('stops a send that is scheduled', async () => {
      const send = makeSend({ sendAtMs: Date.now() + 300 })
      await queue.enqueue(send)
      await queue.cancel(send.uid)
      await queue.enqueue(makeSend({ sendAtMs: Date.now() + 600 }))
      // The later one comes, the cancelled one did not come before it.
      expect((await claimSend()).uid).not.toBe(send.uid)
      expect(await queue.loadContent(send.uid)).toBeUndefined()
    })

    test('stops a walk at its next page', async () => {
      const send = makeSend()
      await queue.enqueue(send)
      const walk = await claimSend()
      await queue.commitPage(walk, page('after-a', batch('a')))
      await queue.cancel(send.uid)
      expect(await queue.commitPage({ ...walk, cursor: 'after-a' }, lastPage(batch('b')))).toBe('lost')
      const found = await claim()
      expect(found).toMatchObject({ sendState: 'cancelled', lines: linesOf('a') })
      await queue.acknowledge(found, NOTHING_LEFT)
      await expectNothing()
    })

    test('is told to whoever claims a batch, also a retried one, and to whoever asks', async () => {
      const send = await enqueueOne(batch('a'))
      const other = await enqueueOne(broadcast('b'))
      const found = await claim()
      expect(await queue.findCancelled([send.uid, other.uid, 'unknown'])).toEqual(new Map())
      await queue.cancel(send.uid)
      await queue.drop(other.uid, { user: 'u', deviceId: '' })
      expect(await queue.findCancelled([send.uid, other.uid, 'unknown'])).toEqual(
        new Map([
          [send.uid, 'all'],
          [other.uid, 'some'],
        ]),
      )
      await queue.acknowledge(found, {
        retries: [{ ...targets('a'), delayMs: 0, ambiguousAttempts: 0 }],
        givenUp: [],
      })
      expect(await claim()).toMatchObject({ sendState: 'cancelled' })
    })

    test('that overtakes its send stops it all the same', async () => {
      const send = makeSend()
      await queue.cancel(send.uid)
      expect(await queue.enqueue(send, lastPage(batch('a')))).toBe('accepted')
      expect(await queue.enqueue({ ...send, requestHash: Buffer.alloc(32, 2) })).toBe('conflict')
      await queue.enqueue(send)
      await expectNothing()
      expect(await queue.claimSends('broadcast', 1)).toEqual([])
    })

    test('leaves one user or device out of a send that is on its way', async () => {
      const send = await enqueueOne(batch('a'))
      const other = await enqueueOne(broadcast('a'))
      expect(await queue.drop(send.uid, { user: 'ann', deviceId: '' })).toBe('dropped')
      expect(await queue.drop(send.uid, { user: '', deviceId: 'd1' })).toBe('dropped')
      expect(await queue.drop(send.uid, { user: 'bob', deviceId: 'd2' })).toBe('dropped')
      expect(await claim()).toMatchObject({ uid: send.uid, sendState: 'live', hasDrops: true })
      const targets = [
        { user: 'ann', deviceId: 'd7' },
        { user: 'zoe', deviceId: 'd1' },
        { user: 'bob', deviceId: 'd2' },
        { user: 'bob', deviceId: 'd3' },
        { user: 'zoe', deviceId: 'd2' },
        { user: '', deviceId: 'd3' },
        { user: '', deviceId: '' },
      ]
      expect(await queue.findDropped(send.uid, targets)).toEqual([true, true, true, false, false, false, false])
      expect(await claim('broadcast')).toMatchObject({ uid: other.uid, hasDrops: false })
    })

    test('of one user that overtakes its send holds for it', async () => {
      const send = makeSend()
      await queue.drop(send.uid, { user: 'ann', deviceId: '' })
      expect(await queue.enqueue(send, lastPage(batch('a')))).toBe('accepted')
      expect(await claim()).toMatchObject({ uid: send.uid, sendState: 'live', hasDrops: true })
      expect(await queue.findDropped(send.uid, [{ user: 'ann', deviceId: 'd' }])).toEqual([true])
      expect(await queue.enqueue({ ...send, requestHash: Buffer.alloc(32, 2) })).toBe('conflict')
    })
  })

  describe('a paused provider', () => {
    test('is not sent to, and the others are', async () => {
      await queue.pause('apns', 'stopped by hand', undefined)
      await enqueueOne({ ...batch('a'), provider: 'apns' }, batch('b'))
      expect(firstValue(await claim())).toBe('b')
      expect(await tryToClaim('small', ['apns'])).toBeUndefined()
      await queue.resume('apns')
      expect(await claim('small', ['apns'])).toMatchObject({ isProbe: false })
    })

    test('is tried with one batch when it is time', async () => {
      await enqueueOne(...['a', 'b', 'c'].map((value) => batch(value)))
      await queue.pause('fcm', 'UNAUTHENTICATED', 400)
      const probes: BatchClaim[] = []
      await vi.waitFor(
        async () => {
          const claims = await Promise.all([1, 2, 3].map(() => queue.claimBatches('small', ALL, 3)))
          probes.push(...claims.flat())
          expect(probes.length).toBeGreaterThan(0)
        },
        { timeout: 10_000, interval: 10 },
      )
      expect(probes).toMatchObject([{ isProbe: true }])
      await queue.resume('fcm')
      expect(await claim()).toMatchObject({ isProbe: false })
    })

    test('by hand stays paused when a worker pauses it too', async () => {
      await queue.pause('fcm', 'stopped by hand', undefined)
      await queue.pause('fcm', 'UNAUTHENTICATED', 0)
      expect((await queue.stats()).pauses).toEqual([
        { provider: 'fcm', reason: 'stopped by hand', probeInMs: undefined },
      ])
      await enqueueOne(batch('a'))
      expect(await tryToClaim('small')).toBeUndefined()
    })

    test('does not at once hold up the others that a broadcast goes to', async () => {
      await queue.pause('apns', 'stopped by hand', undefined)
      await queue.enqueue(makeSend())
      const walk = await claimSend()
      const apns = { ...broadcast('a'), provider: 'apns' as const }
      const many = page('more', ...Array.from({ length: 200 }, () => apns))
      expect(await queue.commitPage(walk, many)).toBe('committed')
      expect(await queue.commitPage({ ...walk, cursor: 'more' }, lastPage(apns))).toBe('committed')
    })
  })

  describe('dead letters', () => {
    const bury = async (...values: string[]): Promise<Send> => {
      const send = await enqueueOne(batch(...values))
      const found = await claim()
      const givenUp = [{ ...targets(...values), reason: 'UNAVAILABLE' }]
      expect(await queue.acknowledge(found, { retries: [], givenUp })).toBe('acknowledged')
      return send
    }

    test('are kept with their reason, and page by page', async () => {
      const [first, second] = [await bury('a', 'b'), await bury('c')]
      const [letter, ...more] = await queue.listDeadLetters({}, 1)
      expect(more).toEqual([])
      expect(letter).toMatchObject({ uid: first.uid, provider: 'fcm', reason: 'UNAVAILABLE', ...targets('a', 'b') })
      expect(letter?.attempts).toBeGreaterThan(0)
      expect(letter?.givenUpAtMs).toBeGreaterThan(Date.now() - 60_000)
      expect(await queue.listDeadLetters({}, 10, letter?.id)).toMatchObject([{ uid: second.uid }])
      expect((await queue.stats()).deadLetters).toBe(2)
    })

    test('are found by send, by provider and by id', async () => {
      const [first, second] = [await bury('a'), await bury('b')]
      expect(await queue.listDeadLetters({ uid: second.uid }, 10)).toMatchObject([{ uid: second.uid }])
      expect(await queue.listDeadLetters({ provider: 'apns' }, 10)).toEqual([])
      const [letter] = await queue.listDeadLetters({ uid: first.uid, provider: 'fcm' }, 10)
      expect(await queue.listDeadLetters({ ids: [required(letter).id] }, 10)).toMatchObject([{ uid: first.uid }])
    })

    test('are sent again when asked for, as if for the first time', async () => {
      const send = await bury('a', 'b')
      await bury('c')
      await queue.retryDeadLetters({ uid: send.uid })
      const found = await claim()
      expect(found).toMatchObject({ uid: send.uid, sendState: 'live', ambiguousAttempts: 0, lines: linesOf('a', 'b') })
      expect(await queue.loadContent(send.uid)).toEqual(send.content)
      expect(await queue.listDeadLetters({}, 10)).toHaveLength(1)
      await queue.acknowledge(found, NOTHING_LEFT)
      await expectNothing()
    })

    test('can be dropped', async () => {
      const send = await bury('a')
      await bury('b')
      await queue.dropDeadLetters({ uid: send.uid })
      expect(await queue.listDeadLetters({}, 10)).toHaveLength(1)
    })
  })

  describe('waking a waiting worker', () => {
    const signal = new AbortController().signal
    /** The first wait may still be setting up its subscription: work is made again and again until it wakes. */
    const wake = async (lane: Lane, makeWork: () => Promise<unknown>) => {
      const waiting = queue.waitForWork(lane, 60_000, signal)
      const made: Promise<unknown>[] = []
      const timer = setInterval(() => made.push(makeWork()), 20)
      await waiting
      clearInterval(timer)
      await Promise.all(made)
    }

    test('when there is a batch in its lane', () => wake('small', () => enqueueOne(batch('a'))))

    test('when there is a send to walk in its lane', () => wake('broadcast', () => queue.enqueue(makeSend())))

    test('when a page has batches for its lane', () =>
      wake('small', async () => {
        await queue.enqueue(makeSend())
        await queue.commitPage(await claimSend(), lastPage(batch('a')))
      }))

    test('when a batch is given back, or to be tried again at once', async () => {
      await enqueueOne(batch('a'))
      await wake('small', async () => queue.release(await queue.claimBatches('small', ALL, 1)))
      const retry = { lines: linesOf('a').join('\n'), count: 1, delayMs: 0, ambiguousAttempts: 0 }
      await wake('small', async () => queue.acknowledge(await claim(), { retries: [retry], givenUp: [] }))
    })

    test('when a provider goes on', () => wake('broadcast', () => queue.resume('fcm')))
  })

  test('stops waiting when told to', async () => {
    const stop = new AbortController()
    const waiting = queue.waitForWork('small', 60_000, stop.signal)
    stop.abort()
    await waiting
  })

  test('counts what waits, what is in flight and what is scheduled', async () => {
    await enqueueOne(batch('a'), broadcast('b'), broadcast('c'))
    await queue.enqueue(makeSend({ sendAtMs: Date.now() + 60_000 }))
    const found = await claim()
    await queue.extend([found])
    const stats = await queue.stats()
    expect(stats.waiting.get('fcm')).toBe(2)
    expect(stats.inFlight.get('fcm')).toBe(1)
    expect(stats.scheduled).toBe(1)
    expect(stats.oldestMs).toBeGreaterThan(0)
    expect(stats.pauses).toEqual([])
  })
}

function linesOf(...values: string[]): string[] {
  return values.map((value) => `device-${value}\t${value}\tuser-${value}\tios`)
}

function targets(...values: string[]) {
  return { lines: linesOf(...values).join('\n'), count: values.length }
}

function batch(...values: string[]): NewBatch {
  const lines = Buffer.from(linesOf(...values).join('\n'))
  return { provider: 'fcm', lane: 'small', targetKind: 'token', lines, count: values.length }
}

function broadcast(...values: string[]): NewBatch {
  return { ...batch(...values), lane: 'broadcast' }
}

function page(cursor: string, ...batches: NewBatch[]): Page {
  return { batches, cursor }
}

function lastPage(...batches: NewBatch[]): Page {
  return { batches, cursor: undefined }
}

function firstValue({ lines }: BatchClaim): string {
  return required(lines[0]?.split('\t')[1])
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('expected something to be there')
  return value
}
