// What became of each target: the counts in the report of the send and the final events agree.
import { expect, test, vi } from 'vitest'
import type { EventSource, TargetEvent } from '../../src/analytics/analytics.ts'
import type { Outcome } from '../../src/providers/provider.ts'
import type { ReportCount } from '../../src/queue/report.ts'
import { makeOpenPromise } from '../../src/timing/open-promise.ts'
import { EventLog } from './event-log.ts'
import { ScriptedProvider } from './scripted-provider.ts'
import { SENT, WorkerRig, waitForAbort } from './worker-rig.ts'

const rig = new WorkerRig()
const RETRY: Outcome = { kind: 'retry', reason: 'UNAVAILABLE' }

/** The counts of the report as `counted reason`. */
async function readCounts(uid: string): Promise<Record<string, number>> {
  const report = await rig.queue.loadReport(uid)
  const name = ({ counted, reason }: ReportCount) => (reason === '' ? counted : `${counted} ${reason}`)
  return Object.fromEntries(report?.counts.map((count) => [name(count), count.count]) ?? [])
}

/** Answers each target with the outcomes that are listed for it, one after another, and then with `sent`. */
function scripted(script: Record<string, Outcome[]>): ScriptedProvider {
  return new ScriptedProvider(async (target) => script[target]?.shift() ?? SENT)
}

test('counts and records sent, refused and retried targets', async () => {
  const log = new EventLog()
  rig.startWorker(
    scripted({
      b: [RETRY, RETRY],
      c: [{ kind: 'rejected', reason: 'INVALID_ARGUMENT' }],
      d: [{ kind: 'tokenGone', reason: 'UNREGISTERED' }],
      e: [RETRY, { kind: 'tokenGone', reason: 'UNREGISTERED' }],
    }),
    { recorder: log },
  )
  const uid = await rig.enqueue(['a', 'b', 'c', 'd', 'e'])
  await rig.waitForEnd(uid)
  expect(await readCounts(uid)).toEqual({
    target: 5,
    sent: 2,
    'failed INVALID_ARGUMENT': 1,
    'failed UNREGISTERED': 2,
  })
  expect(log.endings).toEqual({
    'user-a': ['sent'],
    'user-b': ['sent'],
    'user-c': ['failed INVALID_ARGUMENT'],
    'user-d': ['failed UNREGISTERED'],
    'user-e': ['failed UNREGISTERED'],
  })
  const shared = { uid, provider: 'fcm', recipientType: 'token', isSmall: true, platform: 'ios', recipient: '' }
  expect(log.events.find(({ user }) => user === 'user-a')).toMatchObject({ ...shared, messageId: 'm' })
  expect(log.attempts.map(({ user, attempt, errorCode }) => [user, attempt, errorCode]).toSorted()).toEqual([
    ['user-b', 1, 'UNAVAILABLE'],
    ['user-b', 2, 'UNAVAILABLE'],
    ['user-e', 1, 'UNAVAILABLE'],
  ])
})

test("records the targets of an earlier version's send under its analytics_uid, which only its content has", async () => {
  const log = new EventLog()
  const uid = await rig.enqueue(['a'])
  await rig.database.sql`
    update push_sends set content = convert_to(replace(convert_from(content, 'UTF8'), uid, 'campaign'), 'UTF8')`
  rig.startWorker(scripted({}), { recorder: log })
  await rig.waitForEnd(uid)
  await vi.waitFor(() => expect(log.events).toMatchObject([{ uid: 'campaign', user: 'user-a' }]))
})

test('counts a target as retrying until its last attempt', async () => {
  const log = new EventLog()
  let answer: (outcome: Outcome) => void = () => undefined
  const provider: ScriptedProvider = new ScriptedProvider((target) => {
    if (target === 'a') return Promise.resolve(SENT)
    return provider.received.filter((each) => each === 'b').length === 1
      ? Promise.resolve(RETRY)
      : new Promise((resolve) => (answer = resolve))
  })
  rig.startWorker(provider, { recorder: log })
  const uid = await rig.enqueue(['a', 'b'])
  await vi.waitFor(() => expect(provider.received).toHaveLength(3), { timeout: 10_000 })
  expect(await readCounts(uid)).toEqual({ target: 2, sent: 1, retrying: 1 })
  answer(SENT)
  await rig.waitForEnd(uid)
  expect(await readCounts(uid)).toEqual({ target: 2, sent: 2 })
})

test('counts and records targets that are given up, with the last code', async () => {
  const log = new EventLog()
  const timeout: Outcome = { kind: 'retry', reason: 'timeout', maybeDelivered: true }
  rig.startWorker(new ScriptedProvider(async () => timeout), { recorder: log, retryScale: 0.001 })
  const uid = await rig.enqueue(['a'])
  await vi.waitFor(async () => expect((await rig.queue.stats()).deadLetters).toBe(1), { timeout: 10_000 })
  expect(await readCounts(uid)).toEqual({ target: 1, 'failed timeout': 1 })
  await vi.waitFor(() => expect(log.endings).toEqual({ 'user-a': ['failed timeout'] }))
  expect(log.events[0]?.errorMessage).toBe('given up after attempt 5')
  expect(log.attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4])
})

test('acknowledges a batch when its events are kept, and not before', async () => {
  const kept = makeOpenPromise()
  class SlowLog extends EventLog {
    override async recordEvents(source: EventSource, events: Iterable<TargetEvent>): Promise<void> {
      await super.recordEvents(source, events)
      await kept.promise
    }
  }
  const log = new SlowLog()
  rig.startWorker(scripted({}), { recorder: log })
  const uid = await rig.enqueue(['a'])
  await vi.waitFor(() => expect(log.endings).toEqual({ 'user-a': ['sent'] }), { timeout: 10_000 })
  expect(await readCounts(uid)).toEqual({ target: 1 })
  kept.resolve()
  await rig.waitForEnd(uid)
  expect(await readCounts(uid)).toEqual({ target: 1, sent: 1 })
})

test('counts and records targets whose send expires or is cancelled', async () => {
  const log = new EventLog()
  const cancelled = await rig.enqueue(['a', 'b'])
  await rig.queue.cancel(cancelled)
  const expired = await rig.enqueue(['c'], 'small', Date.now() - 1000)
  const expiring = await rig.enqueue(['d'], 'small', Date.now() + 10_000)
  const later: Outcome = { kind: 'retry', reason: 'QUOTA_EXCEEDED', afterMs: 60_000 }
  rig.startWorker(new ScriptedProvider(async () => later), { recorder: log })
  await vi.waitFor(
    async () => {
      expect(await readCounts(cancelled)).toEqual({ target: 2, cancelled: 2 })
      expect(await readCounts(expired)).toEqual({ target: 1, expired: 1 })
      expect(await readCounts(expiring)).toEqual({ target: 1, expired: 1 })
    },
    { timeout: 10_000 },
  )
  expect(log.endings).toEqual({
    'user-a': ['cancelled cancelled'],
    'user-b': ['cancelled cancelled'],
    'user-c': ['expired expired'],
    'user-d': ['expired expired'],
  })
  expect(log.events.find(({ user }) => user === 'user-d')?.errorMessage).toContain('QUOTA_EXCEEDED')
})

test('counts and records excluded users, also those that are excluded while others are sent', async () => {
  const log = new EventLog()
  let release: () => void = () => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  const provider = new ScriptedProvider(
    async () => SENT,
    (target) => (target === 'c' ? released : Promise.resolve()),
  )
  const uid = await rig.enqueue(['a', 'b', 'c'])
  await rig.queue.exclude(uid, { user: 'user-a', deviceId: '' })
  rig.startWorker(provider, { recorder: log })
  await vi.waitFor(() => expect(provider.received).toEqual(['b']))
  await rig.queue.exclude(uid, { user: 'user-c', deviceId: '' })
  // The next look of the worker reads the exclusion.
  await vi.waitFor(async () => {
    release()
    await rig.waitForEnd(uid)
  })
  expect(log.endings['user-a']).toEqual(['dropped excluded'])
  expect(log.endings['user-b']).toEqual(['sent'])
  expect(log.endings['user-c']).toHaveLength(1)
  const isSent = log.endings['user-c']?.[0] === 'sent'
  expect(await readCounts(uid)).toEqual({ target: 3, sent: isSent ? 2 : 1, 'dropped excluded': isSent ? 1 : 2 })
})

test('counts the targets that an interrupted attempt of a reliable send finished, which it has recorded', async () => {
  const uid = await rig.enqueue(['a', 'b', 'c', 'd'], 'small', undefined, true)
  await rig.queue.exclude(uid, { user: 'user-d', deviceId: '' })
  const killed = new EventLog()
  const first = new ScriptedProvider((target, signal) => {
    if (target === 'c') return waitForAbort(signal)
    return Promise.resolve(target === 'a' ? SENT : { kind: 'rejected', reason: 'INVALID_ARGUMENT' })
  })
  // Its acknowledgements fail, as if the process was killed before them.
  const queue = new Proxy(rig.queue, {
    get(target, name) {
      if (name === 'acknowledge') return () => Promise.reject(new Error('killed'))
      const method: unknown = Reflect.get(target, name)
      return typeof method === 'function' ? method.bind(target) : method
    },
  })
  const worker = rig.startWorker(first, { queue, recorder: killed })
  await vi.waitFor(
    async () => {
      const [row] = await rig.database.sql`select settled from push_batches`
      expect(row?.settled).toEqual(Buffer.of(0b11111011))
    },
    { timeout: 10_000 },
  )
  // The progress is stored after the events of its targets.
  expect(killed.endings).toEqual({
    'user-a': ['sent'],
    'user-b': ['failed INVALID_ARGUMENT'],
    'user-d': ['dropped excluded'],
  })
  await worker.stop(0)
  await rig.database.sql`update push_batches set claimable_at = clock_timestamp()`
  const log = new EventLog()
  const second = scripted({})
  rig.startWorker(second, { recorder: log })
  await rig.waitForEnd(uid)
  expect(second.received).toEqual(['c'])
  expect(log.endings).toEqual({ 'user-c': ['sent'] })
  expect(await readCounts(uid)).toEqual({
    target: 4,
    sent: 2,
    'failed INVALID_ARGUMENT': 1,
    'dropped excluded': 1,
  })
})

test('records the targets of an acknowledgement whose answer was lost, and counts them once', async () => {
  const log = new EventLog()
  let failures = 1
  const queue = new Proxy(rig.queue, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      if (name !== 'acknowledge') return method.bind(target)
      return async (...args: unknown[]) => {
        const result: unknown = await Reflect.apply(method, target, args)
        if (failures-- > 0) throw new Error('the answer was lost')
        return result
      }
    },
  })
  rig.startWorker(scripted({}), { queue, recorder: log })
  const uid = await rig.enqueue(['a', 'b'])
  await rig.waitForEnd(uid)
  expect(log.endings).toEqual({ 'user-a': ['sent'], 'user-b': ['sent'] })
  expect(await readCounts(uid)).toEqual({ target: 2, sent: 2 })
})
