import { randomUUID } from 'node:crypto'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { GoneToken } from '../../src/delivery/settled-batch.ts'
import { Worker } from '../../src/delivery/worker.ts'
import { makeMetrics } from '../../src/observability/metrics.ts'
import type { Outcome } from '../../src/providers/provider.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import type { Lane, Queue, Send } from '../../src/queue/queue.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { ScriptedProvider } from './scripted-provider.ts'

const logger = pino({ level: 'silent' })
const SENT: Outcome = { kind: 'sent', messageId: 'm' }

let database: TestDatabase
let queue: PostgresQueue
const workers: Worker[] = []
const gone: GoneToken[] = []

beforeEach(async () => {
  database = await createTestDatabase()
  queue = new PostgresQueue({ sql: database.sql, logger, leaseMs: 500, maxJobs: 1000 })
  gone.length = 0
})
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop(0)))
  await queue.close()
  await database.drop()
})

function startWorker(
  provider: ScriptedProvider,
  over: { queue?: Queue; retryScale?: number; maxBatchTargets?: number } = {},
): Worker {
  const worker = new Worker({
    queue: over.queue ?? queue,
    providers: new Map([['fcm', provider]]),
    removeGone: async (_, tokens) => gone.push(...tokens),
    retryPolicy: { scale: over.retryScale ?? 0.01, random: Math.random },
    metrics: makeMetrics(),
    logger,
    now: Date.now,
    maxBatchTargets: over.maxBatchTargets ?? 500,
    concurrency: 4,
    heartbeatMs: 100,
  })
  workers.push(worker)
  worker.start()
  return worker
}

function sendOf(uid: string, values: string[]): Send {
  return {
    uid,
    requestHash: Buffer.alloc(32),
    sendAtMs: undefined,
    expireAtMs: undefined,
    recipient: { kind: 'native', provider: 'fcm', targetKind: 'token', values },
    notifications: new Map([['fcm', { json: Buffer.from('{}'), headers: new Map() }]]),
    analyticsUid: uid,
  }
}

async function enqueue(values: string[], lane: Lane = 'small', expireAtMs?: number): Promise<string> {
  const send = { ...sendOf(randomUUID(), values), expireAtMs }
  const targets = values.map((value) => ({ deviceId: `device-${value}`, value }))
  await queue.enqueue(send, { batches: [{ provider: 'fcm', lane, targetKind: 'token', targets }], cursor: undefined })
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

test('gives a target up after five attempts that may have been delivered', async () => {
  const provider = new ScriptedProvider(async () => ({ kind: 'retry', reason: 'timeout', maybeDelivered: true }))
  startWorker(provider, { retryScale: 0.001 })
  await waitForEnd(await enqueue(['a']))
  expect(provider.received).toHaveLength(5)
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

test('keeps the work while the credential is refused, and sends it when it is mended', async () => {
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

test('lets a small send pass a broadcast whose provider does not answer', async () => {
  const stop = new AbortController()
  const provider = new ScriptedProvider(async (target, signal) => {
    if (target === 'small') return SENT
    await new Promise((resolve) => AbortSignal.any([signal, stop.signal]).addEventListener('abort', resolve))
    return undefined
  })
  const worker = startWorker(provider)
  for (let i = 0; i < 8; i++) await enqueue([`b${i}`], 'broadcast')
  await vi.waitFor(() => expect(provider.received).toHaveLength(4))
  await waitForEnd(await enqueue(['small']))
  expect(provider.received).toHaveLength(5)
  await worker.stop(0)
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
  expect(claim).toMatchObject({ uid, targets: [{ deviceId: 'device-a', value: 'a' }] })
})

test('keeps its lease while a batch takes longer than one', async () => {
  let answer: (outcome: Outcome) => void = () => undefined
  const provider = new ScriptedProvider(() => new Promise((resolve) => (answer = resolve)))
  startWorker(provider)
  const uid = await enqueue(['slow'])
  await vi.waitFor(() => expect(provider.received).toEqual(['slow']))
  // A batch claimed after it that nobody extends: when that one's lease has ended, the slow one's would have, too.
  const targets = [{ deviceId: '', value: 'control' }]
  const page = {
    batches: [{ provider: 'apns' as const, lane: 'small' as const, targetKind: 'token' as const, targets }],
  }
  await queue.enqueue(sendOf(randomUUID(), ['control']), { ...page, cursor: undefined })
  const claimControl = async () => expect(await queue.claimBatches('small', ['apns'], 1)).toHaveLength(1)
  await claimControl()
  await vi.waitFor(claimControl, { timeout: 10_000, interval: 20 })
  expect(await queue.claimBatches('small', ['fcm'], 1)).toEqual([])
  answer(SENT)
  await waitForEnd(uid)
  expect(provider.received).toEqual(['slow'])
})
