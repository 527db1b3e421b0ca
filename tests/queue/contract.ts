// What every implementation of the queue promises. Each case gets a queue of its own.
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ProviderName } from '../../src/config/provider-names.ts'
import type { BatchClaim, NewBatch, Queue, Send } from '../../src/queue/queue.ts'

export interface QueueUnderTest {
  queue: Queue
  close(): Promise<void>
}

/** Long enough for a case to work in, short enough to be waited for where a case is about its end. */
const LEASE_MS = 400

const ALL: ProviderName[] = ['fcm', 'hms', 'apns', 'webpush']

export function describeQueue(
  name: string,
  start: (options: { leaseMs: number; maxJobs: number }) => Promise<QueueUnderTest>,
) {
  describe(`the queue on ${name}`, () => {
    let underTest: QueueUnderTest
    let queue: Queue

    beforeEach(async () => {
      underTest = await start({ leaseMs: LEASE_MS, maxJobs: 1000 })
      queue = underTest.queue
    })
    afterEach(() => underTest.close())

    const claimOne = async (lane: 'small' | 'broadcast' = 'small'): Promise<BatchClaim | undefined> =>
      (await queue.claimBatches(lane, ALL, 1))[0]
    const waitForOne = (lane: 'small' | 'broadcast' = 'small') =>
      vi.waitFor(async () => required(await claimOne(lane)), { timeout: 10_000, interval: 20 })
    const waitForSend = () =>
      vi.waitFor(async () => required(await queue.claimSend()), { timeout: 10_000, interval: 20 })

    describe('accepting', () => {
      test('hands out what was stored, byte for byte', async () => {
        const send = makeSend({ json: Buffer.from('{"n":12345678901234567890,"x":1.0,"bad":"\xff"}', 'latin1') })
        expect(await queue.enqueue(send, { batches: [batch('a', 'b')], cursor: undefined })).toBe('accepted')
        const claim = required(await claimOne())
        expect(claim).toMatchObject({ uid: send.uid, provider: 'fcm', attempt: 1, sendState: 'live' })
        expect(claim.targets).toEqual([target('a'), target('b')])
        const stored = required(await queue.loadSend(send.uid))
        expect(stored.notifications).toEqual(send.notifications)
        expect(stored.recipient).toEqual(send.recipient)
      })

      test('answers a repeated request as before and sends nothing again', async () => {
        const send = makeSend()
        await queue.enqueue(send, { batches: [batch('a')], cursor: undefined })
        expect(await queue.enqueue(send, { batches: [batch('a')], cursor: undefined })).toBe('duplicate')
        expect(await queue.claimBatches('small', ALL, 10)).toHaveLength(1)
      })

      test('refuses another request under the same uid', async () => {
        const send = makeSend()
        await queue.enqueue(send)
        expect(await queue.enqueue({ ...send, requestHash: Buffer.alloc(32, 2) })).toBe('conflict')
      })

      test('stores one send of fifty that come at once under one uid', async () => {
        const send = makeSend()
        const page = { batches: [batch('a')], cursor: undefined }
        const results = await Promise.all(Array.from({ length: 50 }, () => queue.enqueue(send, page)))
        expect(results.filter((result) => result === 'accepted')).toHaveLength(1)
        expect(results.filter((result) => result === 'duplicate')).toHaveLength(49)
        expect(await queue.claimBatches('small', ALL, 10)).toHaveLength(1)
      })

      test('still answers a repeat after the send has ended', async () => {
        const send = makeSend()
        await queue.enqueue(send, { batches: [batch('a')], cursor: undefined })
        await queue.acknowledge(required(await claimOne()), [])
        expect(await queue.enqueue(send, { batches: [batch('a')], cursor: undefined })).toBe('duplicate')
        expect(await claimOne()).toBeUndefined()
      })

      test('is full at its limit and stores nothing then', async () => {
        const small = await start({ leaseMs: LEASE_MS, maxJobs: 1 })
        try {
          await small.queue.enqueue(makeSend(), { batches: [batch('a'), batch('b')], cursor: undefined })
          // The depth is looked at now and then, not at each send.
          const refused = await vi.waitFor(
            async () => {
              const send = makeSend()
              expect(await small.queue.enqueue(send)).toBe('full')
              return send
            },
            { timeout: 10_000 },
          )
          expect(await small.queue.loadSend(refused.uid)).toBeUndefined()
        } finally {
          await small.close()
        }
      })
    })

    describe('walking a send', () => {
      test('begins when its time has come, not before', async () => {
        const dueMs = (Math.floor(Date.now() / 1000) + 2) * 1000
        await queue.enqueue(makeSend({ sendAtMs: dueMs }))
        expect(await queue.claimSend()).toBeUndefined()
        await waitForSend()
        expect(Date.now()).toBeGreaterThanOrEqual(dueMs)
      })

      test('goes on in another worker where the last page was committed, and writes no page twice', async () => {
        await queue.enqueue(makeSend())
        const first = required(await queue.claimSend())
        expect(await queue.commitPage(first, { batches: [batch('a')], cursor: 'after-a' })).toBe('committed')
        const second = await waitForSend()
        expect(second.cursor).toBe('after-a')
        expect(await queue.commitPage(first, { batches: [batch('b')], cursor: 'after-b' })).toBe('lost')
        expect(await queue.commitPage(second, { batches: [batch('b')], cursor: undefined })).toBe('committed')
        const claims = await queue.claimBatches('small', ALL, 10)
        expect(claims.map(({ targets }) => targets[0]?.value)).toEqual(['a', 'b'])
        expect(await queue.claimSend()).toBeUndefined()
      })

      test('is handed on at once when it is released', async () => {
        await queue.enqueue(makeSend())
        const claim = required(await queue.claimSend())
        await queue.commitPage(claim, { batches: [batch('a')], cursor: 'after-a' })
        await queue.releaseSend(claim)
        expect(await queue.claimSend()).toMatchObject({ cursor: 'after-a' })
      })

      test('ends the send even if its batches were all acknowledged before the last page', async () => {
        const send = makeSend()
        await queue.enqueue(send)
        const walk = required(await queue.claimSend())
        await queue.commitPage(walk, { batches: [batch('a')], cursor: 'after-a' })
        await queue.acknowledge(required(await claimOne()), [])
        await queue.commitPage(walk, { batches: [], cursor: undefined })
        expect(await queue.loadSend(send.uid)).toBeUndefined()
      })

      test('waits while a provider has 200 broadcast batches waiting, and goes on when one is gone', async () => {
        await queue.enqueue(makeSend())
        const walk = required(await queue.claimSend())
        const page = { batches: Array.from({ length: 200 }, (_, i) => broadcast(`t${i}`)), cursor: 'more' }
        expect(await queue.commitPage(walk, page)).toBe('committed')
        const next = { batches: [broadcast('last')], cursor: undefined }
        expect(await queue.commitPage(walk, next)).toBe('full')
        await queue.acknowledge(required(await claimOne('broadcast')), [])
        expect(await queue.commitPage(walk, next)).toBe('committed')
      })
    })

    describe('sending a batch', () => {
      test('belongs to one worker at a time', async () => {
        await queue.enqueue(makeSend(), {
          batches: Array.from({ length: 20 }, (_, i) => batch(`t${i}`)),
          cursor: undefined,
        })
        const claims = await Promise.all(Array.from({ length: 10 }, () => queue.claimBatches('small', ALL, 3)))
        const ids = claims.flat().map(({ id }) => id)
        expect(ids).toHaveLength(20)
        expect(new Set(ids).size).toBe(20)
      })

      test('goes to another worker when the lease ends, and the first one can no longer acknowledge', async () => {
        await queue.enqueue(makeSend(), { batches: [batch('a')], cursor: undefined })
        const dead = required(await claimOne())
        const heir = await waitForOne()
        expect(heir).toMatchObject({ id: dead.id, attempt: 2 })
        expect(await queue.extend([dead])).toEqual(new Set([dead.id]))
        expect(await queue.acknowledge(dead, [])).toBe('lost')
        expect(await queue.extend([heir])).toEqual(new Set())
        expect(await queue.acknowledge(heir, [])).toBe('acknowledged')
        expect(await queue.acknowledge(heir, [])).toBe('lost')
      })

      test('stays with the worker that extends its lease', async () => {
        await queue.enqueue(makeSend(), { batches: [batch('a'), batch('b')], cursor: undefined })
        const kept = required(await claimOne())
        required(await claimOne())
        const beats: Promise<unknown>[] = []
        const heartbeat = setInterval(() => beats.push(queue.extend([kept])), LEASE_MS / 4)
        try {
          // The other one's lease ends first; it shows that the time of both was over.
          expect((await waitForOne()).id).not.toBe(kept.id)
          expect(await queue.acknowledge(kept, [])).toBe('acknowledged')
        } finally {
          clearInterval(heartbeat)
          await Promise.all(beats)
        }
      })

      test('leaves for later what is to be retried, and only that', async () => {
        await queue.enqueue(makeSend(), { batches: [batch('a', 'b', 'c')], cursor: undefined })
        const claim = required(await claimOne())
        const retries = [{ targets: [target('b')], delayMs: 300, ambiguousAttempts: 1 }]
        expect(await queue.acknowledge(claim, retries)).toBe('acknowledged')
        expect(await claimOne()).toBeUndefined()
        const again = await waitForOne()
        expect(again).toMatchObject({ attempt: 2, ambiguousAttempts: 1, targets: [target('b')] })
        expect(again.ageMs).toBeGreaterThanOrEqual(300)
      })

      test('can be given back: at once claimable, no attempt counted', async () => {
        await queue.enqueue(makeSend(), { batches: [batch('a')], cursor: undefined })
        const claim = required(await claimOne())
        await queue.release([claim])
        expect(await claimOne()).toMatchObject({ attempt: 1 })
        expect(await queue.acknowledge(claim, [])).toBe('lost')
      })

      test('is claimed by lane and by provider', async () => {
        const batches = [batch('a'), broadcast('b'), { ...batch('c'), provider: 'apns' as const }]
        await queue.enqueue(makeSend(), { batches, cursor: undefined })
        expect((await queue.claimBatches('broadcast', ALL, 10)).map(firstValue)).toEqual(['b'])
        expect((await queue.claimBatches('small', ['apns'], 10)).map(firstValue)).toEqual(['c'])
        expect((await queue.claimBatches('small', ['hms'], 10)).map(firstValue)).toEqual([])
      })

      test('knows when its send has expired', async () => {
        await queue.enqueue(makeSend({ expireAtMs: Date.now() - 1000 }), { batches: [batch('a')], cursor: undefined })
        expect(await claimOne()).toMatchObject({ sendState: 'expired' })
      })
    })

    describe('cancelling', () => {
      test('stops a send that is scheduled', async () => {
        const send = makeSend({ sendAtMs: Date.now() + 300 })
        await queue.enqueue(send)
        await queue.cancel(send.uid)
        await queue.enqueue(makeSend({ sendAtMs: Date.now() + 600 }))
        // The later one comes, the cancelled one did not come before it.
        expect((await waitForSend()).send.uid).not.toBe(send.uid)
        expect(await queue.loadSend(send.uid)).toBeUndefined()
      })

      test('stops a walk at its next page', async () => {
        const send = makeSend()
        await queue.enqueue(send)
        const walk = required(await queue.claimSend())
        await queue.commitPage(walk, { batches: [batch('a')], cursor: 'after-a' })
        await queue.cancel(send.uid)
        expect(await queue.commitPage(walk, { batches: [batch('b')], cursor: undefined })).toBe('lost')
        expect(await claimOne()).toMatchObject({ sendState: 'cancelled', targets: [target('a')] })
        expect(await claimOne()).toBeUndefined()
      })

      test('is told to whoever claims a batch, also a retried one', async () => {
        const send = makeSend()
        await queue.enqueue(send, { batches: [batch('a')], cursor: undefined })
        const claim = required(await claimOne())
        await queue.cancel(send.uid)
        await queue.acknowledge(claim, [{ targets: [target('a')], delayMs: 0, ambiguousAttempts: 0 }])
        expect(await waitForOne()).toMatchObject({ sendState: 'cancelled' })
      })

      test('that overtakes its send stops it all the same', async () => {
        const send = makeSend()
        await queue.cancel(send.uid)
        expect(await queue.enqueue(send, { batches: [batch('a')], cursor: undefined })).toBe('accepted')
        expect(await queue.enqueue(send, { batches: [batch('a')], cursor: undefined })).toBe('duplicate')
        expect(await claimOne()).toBeUndefined()
        expect(await queue.claimSend()).toBeUndefined()
      })
    })

    test('wakes a waiting worker when work comes', async () => {
      const waiting = queue.waitForWork(60_000, new AbortController().signal)
      // The first wait may still be setting up its subscription: keep work coming until it wakes.
      const fed: Promise<unknown>[] = []
      const feed = setInterval(() => {
        fed.push(queue.enqueue(makeSend(), { batches: [batch('a')], cursor: undefined }))
      }, 20)
      await waiting
      clearInterval(feed)
      await Promise.all(fed)
    })

    test('stops waiting when told to', async () => {
      const stop = new AbortController()
      const waiting = queue.waitForWork(60_000, stop.signal)
      stop.abort()
      await waiting
    })

    test('counts what waits, what is in flight and what is scheduled', async () => {
      await queue.enqueue(makeSend(), { batches: [batch('a'), batch('b'), broadcast('c')], cursor: undefined })
      await queue.enqueue(makeSend({ sendAtMs: Date.now() + 60_000 }))
      await claimOne()
      const stats = await queue.stats()
      expect(stats.waiting.get('fcm')).toBe(2)
      expect(stats.inFlight.get('fcm')).toBe(1)
      expect(stats.scheduled).toBe(1)
      expect(stats.oldestMs).toBeGreaterThan(0)
    })
  })
}

function makeSend(over: Partial<Send> & { json?: Buffer } = {}): Send {
  const { json = Buffer.from('{}'), ...send } = over
  return {
    uid: randomUUID(),
    requestHash: Buffer.alloc(32, 1),
    sendAtMs: undefined,
    expireAtMs: undefined,
    recipient: { kind: 'native', provider: 'fcm', targetKind: 'token', values: ['a'] },
    notifications: new Map([['fcm', { json, headers: new Map([['h', 'v']]) }]]),
    analyticsUid: 'analytics',
    ...send,
  }
}

function target(value: string) {
  return { deviceId: `device-${value}`, value }
}

function batch(...values: string[]): NewBatch {
  return { provider: 'fcm', lane: 'small', targetKind: 'token', targets: values.map(target) }
}

function broadcast(...values: string[]): NewBatch {
  return { ...batch(...values), lane: 'broadcast' }
}

function firstValue(claim: BatchClaim): string | undefined {
  return claim.targets[0]?.value
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('expected something to be there')
  return value
}
