import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { GoneToken } from '../../src/delivery/batch-outcomes.ts'
import { RemovalBreaker } from '../../src/delivery/removal-breaker.ts'
import { Worker } from '../../src/delivery/worker.ts'
import { makeMetrics } from '../../src/observability/metrics.ts'
import type { Outcome } from '../../src/providers/provider.ts'
import { type Duty, FULL_DUTY, LANES, type Lane } from '../../src/queue/lane.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import type { Queue } from '../../src/queue/queue.ts'
import type { Send } from '../../src/queue/send.ts'
import { batchOf, linesOf, storedLines } from '../queue/make-batch.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { ScriptedProvider } from './scripted-provider.ts'

const logger = makeTestLogger()
const SENT: Outcome = { kind: 'sent', messageId: 'm' }

let database: TestDatabase
let queue: PostgresQueue
const workers: Worker[] = []
const gone: GoneToken[] = []

beforeEach(async () => {
  database = await createTestDatabase()
  queue = new PostgresQueue({ sql: database.queueSql, logger, leaseMs: 500, maxJobs: 1000 })
  gone.length = 0
})
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop(0)))
  await queue.close()
  await database.drop()
})

function startWorker(
  provider: ScriptedProvider,
  over: {
    queue?: Queue
    retryScale?: number
    maxBatchTargets?: number
    concurrency?: number
    duty?: Duty
    now?: () => number
  } = {},
): Worker {
  const worker = new Worker({
    duty: over.duty ?? FULL_DUTY,
    queue: over.queue ?? queue,
    loadSend: (uid) => queue.loadSend(uid),
    ranges: undefined,
    providers: new Map([['fcm', provider]]),
    batchSizes: new Map(),
    removeGone: async (_, tokens) => gone.push(...tokens),
    removalBreaker: new RemovalBreaker({ onChange: () => undefined }),
    retryPolicy: { scale: over.retryScale ?? 0.01, random: Math.random },
    metrics: makeMetrics(),
    logger,
    now: over.now ?? Date.now,
    maxBatchTargets: over.maxBatchTargets ?? 500,
    concurrency: over.concurrency ?? 4,
    heartbeatMs: 100,
  })
  workers.push(worker)
  worker.start()
  return worker
}

function sendOf(uid: string, values: string[], isReliable = false): Send {
  return {
    uid,
    requestHash: Buffer.alloc(32),
    lane: 'small',
    sendAtMs: undefined,
    expireAtMs: undefined,
    recipient: { kind: 'native', provider: 'fcm', targetKind: 'token', values },
    content: {
      notifications: new Map([['fcm', { json: Buffer.from('{}'), headers: new Map() }]]),
      analyticsUid: uid,
      isReliable,
    },
  }
}

async function enqueue(values: string[], lane: Lane = 'small', expireAtMs?: number, isReliable = false) {
  const send = { ...sendOf(randomUUID(), values, isReliable), expireAtMs }
  await queue.enqueue(send, { batches: [batchOf(lane, ...values)], cursor: undefined })
  return send.uid
}

/** The queue forgets what a send holds when it has ended. */
const waitForEnd = (uid: string) =>
  vi.waitFor(async () => expect(await queue.loadSend(uid)).toBeUndefined(), { timeout: 20_000, interval: 20 })

test('sends each target once and ends the send', async () => {
  const provider = new ScriptedProvider(async () => SENT)
  startWorker(provider)
  await waitForEnd(await enqueue(['a', 'b', 'c']))
  expect(provider.received.sort()).toEqual(['a', 'b', 'c'])
})

test('tries again only the targets that a retry can help', async () => {
  let failures = 2
  const provider = new ScriptedProvider(async (target) =>
    target === 'b' && failures-- > 0 ? { kind: 'retry', reason: 'UNAVAILABLE', minDelayMs: 1000 } : SENT,
  )
  startWorker(provider)
  await waitForEnd(await enqueue(['a', 'b', 'c']))
  expect(provider.received.sort()).toEqual(['a', 'b', 'b', 'b', 'c'])
})

test('has the devices of dead tokens removed, and no others', async () => {
  const provider = new ScriptedProvider(async (target) =>
    target === 'b' ? { kind: 'tokenGone', reason: 'UNREGISTERED' } : SENT,
  )
  startWorker(provider)
  await waitForEnd(await enqueue(['a', 'b', 'c']))
  expect(gone).toEqual([{ deviceId: 'device-b', token: 'b', sinceMs: undefined }])
})

test('keeps the devices when their provider suddenly calls most tokens dead', async () => {
  const values = Array.from({ length: 300 }, (_, i) => `t${i}`)
  const provider = new ScriptedProvider(async (target) =>
    Number(target.slice(1)) < 200 ? { kind: 'tokenGone', reason: 'UNREGISTERED' } : SENT,
  )
  startWorker(provider)
  await waitForEnd(await enqueue(values, 'broadcast'))
  expect(provider.received).toHaveLength(300)
  expect(gone).toEqual([])
})

test('gives a target up after five attempts that may have been delivered, and keeps it as a dead letter', async () => {
  const provider = new ScriptedProvider(async () => ({ kind: 'retry', reason: 'timeout', maybeDelivered: true }))
  startWorker(provider, { retryScale: 0.001 })
  const uid = await enqueue(['a'])
  const letter = { uid, provider: 'fcm', reason: 'timeout', attempts: 5, ...storedLines(linesOf('a')) }
  await vi.waitFor(async () => expect(await queue.listDeadLetters({}, 10)).toMatchObject([letter]), { timeout: 20_000 })
  expect(provider.received).toHaveLength(5)
})

test('leaves out the users and devices that were cancelled one by one', async () => {
  const provider = new ScriptedProvider(async () => SENT)
  const uid = await enqueue(['a', 'b', 'c'])
  await queue.exclude(uid, { user: 'user-a', deviceId: '' })
  await queue.exclude(uid, { user: '', deviceId: 'device-c' })
  startWorker(provider)
  await waitForEnd(uid)
  expect(provider.received).toEqual(['b'])
})

test('leaves out who is cancelled while his batch is being sent, and sends to all others once', async () => {
  let open = () => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const asked: string[] = []
  const watched = new Proxy(queue, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return async (...args: unknown[]) => {
        const result: unknown = await member.apply(target, args)
        if (name === 'findExcluded') asked.push(name)
        return result
      }
    },
  })
  const provider = new ScriptedProvider(
    async () => SENT,
    async (target) => target !== 'a' && gate,
  )
  startWorker(provider, { queue: watched })
  const uid = await enqueue(['a', 'b', 'c', 'd'])
  try {
    await vi.waitFor(() => expect(provider.received).toEqual(['a']))
    await queue.exclude(uid, { user: 'user-b', deviceId: '' })
    await queue.exclude(uid, { user: '', deviceId: 'device-d' })
    // The second answer to a question asked since both were cancelled.
    await vi.waitFor(() => expect(asked.length).toBeGreaterThanOrEqual(2), { timeout: 10_000 })
  } finally {
    open()
  }
  await waitForEnd(uid)
  expect(provider.received).toEqual(['a', 'c'])
})

test('stops a batch that takes long when its send is cancelled', async () => {
  const never = new ScriptedProvider(
    (_, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined))),
  )
  startWorker(never)
  const uid = await enqueue(['a', 'b'])
  await vi.waitFor(() => expect(never.received).toHaveLength(2))
  await queue.cancel(uid)
  await vi.waitFor(async () => expect((await queue.stats()).inFlight.size).toBe(0), { timeout: 10_000 })
  expect(never.received).toHaveLength(2)
})

test('goes on acknowledging while the queue is away, and sends nothing twice', async () => {
  const provider = new ScriptedProvider(async () => SENT)
  let failures = 3
  const flaky = new Proxy(queue, {
    get(target, name) {
      if (name === 'acknowledge' && failures-- > 0) return () => Promise.reject(new Error('the queue is away'))
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  startWorker(provider, { queue: flaky })
  await waitForEnd(await enqueue(['a', 'b']))
  expect(provider.received.toSorted()).toEqual(['a', 'b'])
})

test('does not send again what a killed worker had noted as settled, where the send asks for that', async () => {
  const uid = await enqueue(['a', 'b', 'c'], 'small', undefined, true)
  const [claim] = await queue.claimBatches('small', ['fcm'], 1)
  if (!claim) throw new Error('the batch should be claimable')
  await queue.checkpoint([{ claim, finished: Uint8Array.of(0b101) }])
  const provider = new ScriptedProvider(async () => SENT)
  startWorker(provider)
  await waitForEnd(uid)
  expect(provider.received).toEqual(['b'])
})

test('notes what is settled while a reliable batch is still being sent', async () => {
  const provider = new ScriptedProvider((target, signal) =>
    target === 'b'
      ? new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined)))
      : Promise.resolve(SENT),
  )
  startWorker(provider)
  await enqueue(['a', 'b', 'c'], 'small', undefined, true)
  await vi.waitFor(
    async () => {
      const rows = await database.sql`select settled from push_batches`
      expect(rows).toMatchObject([{ settled: Buffer.of(0b11111101) }])
    },
    { timeout: 10_000 },
  )
})

test('sends nothing of a cancelled or expired send', async () => {
  const provider = new ScriptedProvider(async () => SENT)
  const cancelled = await enqueue(['a'])
  await queue.cancel(cancelled)
  await enqueue(['b'], 'small', Date.now() - 1000)
  const last = await enqueue(['c'])
  startWorker(provider)
  await waitForEnd(last)
  expect(provider.received).toEqual(['c'])
})

test('does not lose a batch when the provider breaks', async () => {
  let isBroken = true
  const provider = new ScriptedProvider(async () => {
    if (!isBroken) return SENT
    isBroken = false
    throw new Error('a mistake of ours')
  })
  startWorker(provider)
  await waitForEnd(await enqueue(['a']))
  expect(provider.received).toEqual(['a', 'a'])
})

test('keeps the work of a provider that refuses the credential, tries it now and then, and sends all when it is mended', async () => {
  let isMended = false
  const provider = new ScriptedProvider(async () =>
    isMended ? SENT : { kind: 'credential', reason: 'UNAUTHENTICATED' },
  )
  startWorker(provider, { retryScale: 0.005 })
  const uid = await enqueue(['a', 'b'])
  await vi.waitFor(() => expect(provider.received.length).toBeGreaterThanOrEqual(4), { timeout: 20_000 })
  isMended = true
  await waitForEnd(uid)
})

test.each([
  { who: 'by itself', duty: FULL_DUTY },
  { who: 'as a reserve for them', duty: { lanes: LANES, fallbackLanes: ['small'] } satisfies Duty },
])('lets a small send pass broadcasts that fill all room, $who', async ({ duty }) => {
  const stop = new AbortController()
  const provider = new ScriptedProvider(async (target, signal) => {
    if (target === 'small') return SENT
    await new Promise((resolve) => AbortSignal.any([signal, stop.signal]).addEventListener('abort', resolve))
    return undefined
  })
  const worker = startWorker(provider, { duty, concurrency: 64 })
  await fillRoom(provider)
  await waitForEnd(await enqueue(['small']))
  expect(provider.received).toHaveLength(ROOM + 1)
  await worker.stop(0)
})

/** As many targets of broadcasts as a worker with both lanes sends at once. */
const ROOM = 4500

/** Takes all room with broadcasts that do not end, and has a batch of each of two others claimed ahead. */
async function fillRoom(provider: ScriptedProvider, expireAtMs?: number) {
  const values = Array.from({ length: ROOM / 9 }, (_, n) => `${n}`)
  for (let batch = 0; batch < 9; batch++) await enqueue(values, 'broadcast')
  const uids = [
    await enqueue(['ahead-1', 'ahead-1-b'], 'broadcast', expireAtMs),
    await enqueue(['ahead-2', 'ahead-2-b'], 'broadcast', expireAtMs),
  ]
  await vi.waitFor(() => expect(provider.received).toHaveLength(ROOM), { timeout: 10_000 })
  await waitForClaims(11)
  return uids
}

const waitForClaims = (count: number) =>
  vi.waitFor(async () => expect((await queue.stats()).inFlight.get('fcm') ?? 0).toBe(count), { timeout: 10_000 })

describe('a batch that was claimed ahead', () => {
  let free: () => void
  let provider: ScriptedProvider

  beforeEach(() => {
    const freed = new Promise<void>((resolve) => {
      free = resolve
    })
    provider = new ScriptedProvider(async (target, signal) => {
      if (target.startsWith('ahead')) return SENT
      const aborted = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined)))
      return Promise.race([freed.then(() => SENT), aborted])
    })
  })

  const sentAhead = () => provider.received.filter((target) => target.startsWith('ahead')).toSorted()

  test('is not sent to who is cancelled while it waits', async () => {
    const looked = vi.spyOn(queue, 'findCancelled')
    startWorker(provider, { concurrency: 64 })
    const [first = '', second = ''] = await fillRoom(provider)
    await queue.exclude(first, { user: 'user-ahead-1', deviceId: '' })
    // The second answer to a question asked since.
    const before = looked.mock.settledResults.length
    await vi.waitFor(() => expect(looked.mock.settledResults.length).toBeGreaterThanOrEqual(before + 2), {
      timeout: 10_000,
    })
    free()
    await Promise.all([waitForEnd(first), waitForEnd(second)])
    expect(sentAhead()).toEqual(['ahead-1-b', 'ahead-2', 'ahead-2-b'])
  })

  test('ends when its send is cancelled, whoever has the room', async () => {
    startWorker(provider, { concurrency: 64 })
    const [first = ''] = await fillRoom(provider)
    await queue.cancel(first)
    await waitForClaims(10)
    expect(sentAhead()).toEqual([])
  })

  test('is not sent when it expires while it waits', async () => {
    let nowMs = Date.now()
    startWorker(provider, { concurrency: 64, now: () => nowMs })
    const [first = '', second = ''] = await fillRoom(provider, Date.now() + 60_000)
    nowMs += 60_000
    free()
    await Promise.all([waitForEnd(first), waitForEnd(second)])
    expect(sentAhead()).toEqual([])
  })

  test('is given back when the worker is stopped, while what is being sent finishes', async () => {
    const worker = startWorker(provider, { concurrency: 64 })
    const [first, second] = await fillRoom(provider)
    const stopped = worker.stop(20_000)
    await waitForClaims(9)
    const claims = await queue.claimBatches('broadcast', ['fcm'], 4)
    expect(claims.toSorted((a, b) => Number(a.id) - Number(b.id))).toMatchObject([
      { uid: first, attempt: 1 },
      { uid: second, attempt: 1 },
    ])
    free()
    await stopped
    expect(sentAhead()).toEqual([])
  })
})

test('hands over no more than a kill may cost in duplicates, and the next batches as soon as others are settled', async () => {
  const answers: (() => void)[] = []
  const provider = new ScriptedProvider(
    (_, signal) =>
      new Promise((resolve) => {
        answers.push(() => resolve(SENT))
        signal.addEventListener('abort', () => resolve(undefined))
      }),
  )
  const worker = startWorker(provider, { concurrency: 64 })
  const values = Array.from({ length: 600 }, (_, n) => `${n}`)
  const uids: string[] = []
  for (let batch = 0; batch < 12; batch++) uids.push(await enqueue(values, 'broadcast'))
  for (let sent = 0; sent < uids.length * values.length; sent += answers.splice(0).length) {
    const expected = Math.min(7 * values.length, uids.length * values.length - sent)
    await vi.waitFor(() => expect(answers).toHaveLength(expected), { timeout: 10_000 })
    for (const answer of answers) answer()
  }
  for (const uid of uids) await waitForEnd(uid)
  await worker.stop(0)
})

test('as a reserve for small sends, sends those that nobody else takes', async () => {
  const provider = new ScriptedProvider(async () => SENT)
  startWorker(provider, { duty: { lanes: LANES, fallbackLanes: ['small'] } })
  await Promise.all([waitForEnd(await enqueue(['a'])), waitForEnd(await enqueue(['b'], 'broadcast'))])
  expect(provider.received.toSorted()).toEqual(['a', 'b'])
})

test('works on several small sends at once, and on broadcasts, however large batches may be', async () => {
  const stop = new AbortController()
  const provider = new ScriptedProvider(
    (_, signal) =>
      new Promise((resolve) => {
        const end = () => resolve(undefined)
        signal.addEventListener('abort', end)
        stop.signal.addEventListener('abort', end)
      }),
  )
  const worker = startWorker(provider, { maxBatchTargets: 5000 })
  for (const value of ['a', 'b', 'c', 'd']) await enqueue([value])
  await enqueue(['e'], 'broadcast')
  await vi.waitFor(() => expect(provider.received.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e']))
  await worker.stop(0)
})

test('lets what is in flight finish when it is stopped, and takes nothing new', async () => {
  let answer: (outcome: Outcome) => void = () => undefined
  const provider = new ScriptedProvider(() => new Promise((resolve) => (answer = resolve)))
  const worker = startWorker(provider)
  const uid = await enqueue(['a'])
  await vi.waitFor(() => expect(provider.received).toEqual(['a']))
  const stopped = worker.stop(20_000)
  await enqueue(['b'])
  answer(SENT)
  await stopped
  await waitForEnd(uid)
  expect(provider.received).toEqual(['a'])
})

test('gives back at once what is still unsettled when its time to stop is over', async () => {
  const never = new ScriptedProvider(
    (_, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined))),
  )
  const worker = startWorker(never)
  const uid = await enqueue(['a'])
  await vi.waitFor(() => expect(never.received).toEqual(['a']))
  await worker.stop(0)
  const [claim] = await queue.claimBatches('small', ['fcm'], 1)
  expect(claim).toMatchObject({ uid, targets: { kind: 'lines', lines: linesOf('a') } })
})

test('keeps its lease while a batch takes longer than one', async () => {
  let answer: (outcome: Outcome) => void = () => undefined
  const provider = new ScriptedProvider(() => new Promise((resolve) => (answer = resolve)))
  startWorker(provider)
  const uid = await enqueue(['slow'])
  await vi.waitFor(() => expect(provider.received).toEqual(['slow']))
  // A batch claimed after it that nobody extends: when that one's lease has ended, the slow one's would have, too.
  const control = { ...batchOf('small', 'control'), provider: 'apns' } as const
  await queue.enqueue(sendOf(randomUUID(), ['control']), { batches: [control], cursor: undefined })
  const claimControl = async () => expect(await queue.claimBatches('small', ['apns'], 1)).toHaveLength(1)
  await claimControl()
  await vi.waitFor(claimControl, { timeout: 10_000, interval: 20 })
  expect(await queue.claimBatches('small', ['fcm'], 1)).toEqual([])
  answer(SENT)
  await waitForEnd(uid)
  expect(provider.received).toEqual(['slow'])
})
