import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ProviderName } from '../../src/config/provider-names.ts'
import { FanOut } from '../../src/push/fan-out.ts'
import { PageReader, type PageReaderDeps } from '../../src/push/page-reader.ts'
import type { BatchClaim } from '../../src/queue/batch.ts'
import { FULL_DUTY, type Lane } from '../../src/queue/lane.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import type { Send } from '../../src/queue/send.ts'
import { encodeNativeTargets, readValue } from '../../src/sends/target-line.ts'
import { batchOf } from '../queue/make-batch.ts'
import { makeSend } from '../queue/make-send.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { makeTestLogger } from '../support/run-log.ts'

const logger = makeTestLogger()

let database: TestDatabase
let queue: PostgresQueue
let fanOut: FanOut | undefined

beforeEach(async () => {
  database = await createTestDatabase()
  queue = new PostgresQueue({ sql: database.queueSql, logger, leaseMs: 15_000, maxJobs: 10_000 })
})
afterEach(async () => {
  await fanOut?.stop()
  fanOut = undefined
  await queue.close()
  await database.drop()
})

function startFanOut(devices?: PageReaderDeps['devices']): FanOut {
  const batchSizes = new Map<ProviderName, number>([
    ['fcm', 500],
    ['apns', 500],
  ])
  const pages = new PageReader({
    devices,
    batchSizes,

    now: Date.now,
  })
  fanOut = new FanOut({ duty: FULL_DUTY, queue, pages, logger, heartbeatMs: 1000 })
  fanOut.start()
  return fanOut
}

function sendTo(provider: ProviderName, values: string[], over: Partial<Send> = {}): Send {
  const notification = { json: Buffer.from('{}'), headers: new Map<string, string>() }
  return makeSend({
    recipient: { kind: 'native', provider, targetKind: 'token', values },
    content: { notifications: new Map([[provider, notification]]), analyticsUid: '', isReliable: false },
    ...over,
  })
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `token-${i}`)

/** Stores as many waiting batches of a provider as its walks allow. */
async function fill(provider: ProviderName): Promise<void> {
  const batch = { ...batchOf('broadcast', 'x'), provider }
  await queue.enqueue(makeSend(), { batches: Array.from({ length: 200 }, () => batch), cursor: undefined })
}

const waitForBatch = (lane: Lane, provider: ProviderName): Promise<BatchClaim> =>
  vi.waitFor(
    async () => {
      const [claim] = await queue.claimBatches(lane, [provider], 1)
      if (!claim) throw new Error('no batch yet')
      return claim
    },
    { timeout: 20_000, interval: 20 },
  )

/** All values that are stored for a send, in the order of its batches. */
async function readStored(uid: string): Promise<string[]> {
  const rows = await database.sql`select targets from push_batches where uid = ${uid} order by id`
  return rows.flatMap(({ targets }) => String(targets).split('\n').map(readValue))
}

test('stores each target once, in batches of at most the provider’s batch size', async () => {
  const values = numbered(12_345)
  const send = sendTo('fcm', values)
  startFanOut()
  await queue.enqueue(send)
  await vi.waitFor(async () => expect(await readStored(send.uid)).toHaveLength(values.length), { timeout: 20_000 })
  expect(await readStored(send.uid)).toEqual(values)
  const sizes = await database.sql`select distinct target_count from push_batches where target_count > 500`
  expect(sizes).toEqual([])
})

test('walks other broadcasts while four wait for the batches of their provider', async () => {
  await fill('apns')
  for (let i = 0; i < 4; i++) await queue.enqueue(sendTo('apns', numbered(200)))
  startFanOut()
  const send = sendTo('fcm', numbered(200))
  await queue.enqueue(send)
  expect((await waitForBatch('broadcast', 'fcm')).uid).toBe(send.uid)
})

test('walks a scheduled small send while all broadcasts wait', async () => {
  await fill('apns')
  for (let i = 0; i < 4; i++) await queue.enqueue(sendTo('apns', numbered(200)))
  startFanOut()
  const send = sendTo('fcm', ['one'], { lane: 'small', sendAtMs: Date.now() + 100 })
  await queue.enqueue(send)
  expect((await waitForBatch('small', 'fcm')).uid).toBe(send.uid)
})

test('continues a walk at its cursor after an error in reading the devices', async () => {
  const page = (n: number) => ({
    groups: [{ provider: 'fcm' as const, count: 1, lines: encodeNativeTargets([`page-${n}`]) }],
    next: n < 3 ? String(n + 1) : undefined,
  })
  let failures = 1
  startFanOut({
    pageTargets: async (_, { after }) => {
      if (after === '2' && failures-- > 0) throw new Error('the database is unreachable')
      return page(Number(after ?? 0))
    },
    findRanges: () => Promise.reject(new Error('a reliable send has no ranges')),
  })
  const filter = { ids: [], users: [], topics: ['t'], providers: [], platforms: [] }
  const { content } = sendTo('fcm', [])
  const reliable = { ...content, isReliable: true }
  const send = sendTo('fcm', [], { recipient: { kind: 'filter', filter }, content: reliable })
  await queue.enqueue(send)
  await vi.waitFor(async () => expect(await readStored(send.uid)).toHaveLength(4), { timeout: 20_000 })
  expect(await readStored(send.uid)).toEqual(['page-0', 'page-1', 'page-2', 'page-3'])
})

test('stores no batch for targets that are excluded before, and counts them as left out', async () => {
  const lineOf = (user: string) => `00000000-0000-4000-8000-000000000000\t${user}-phone\t${user}\tandroid`
  const lines = ['ann', 'bob', 'eve'].map(lineOf).join('\n')
  const filter = { ids: [], users: ['ann', 'bob', 'eve'], topics: [], providers: [], platforms: [] }
  const send = sendTo('fcm', [], { lane: 'small', recipient: { kind: 'filter', filter } })
  const exclude = (user: string, over = {}) => queue.exclude(send.uid, { user, deviceId: '', ...over })
  // By default a received message does not stop the push.
  await Promise.all([exclude('ann', { ack: 'seen' }), exclude('bob', { ack: 'received' }), exclude('eve')])
  await queue.enqueue(send)
  startFanOut({
    pageTargets: async () => ({
      groups: [{ provider: 'fcm' as const, count: 3, lines: Buffer.from(lines) }],
      next: undefined,
    }),
    findRanges: () => Promise.reject(new Error('a small send has no ranges')),
  })
  expect(await waitForBatch('small', 'fcm')).toMatchObject({ uid: send.uid, count: 1 })
  expect(await readStored(send.uid)).toEqual(['bob-phone'])
  expect((await queue.loadReport(send.uid))?.counts).toEqual(
    expect.arrayContaining([
      { provider: 'fcm', counted: 'target', reason: '', count: 3 },
      { provider: 'fcm', counted: 'dropped', reason: 'excluded', count: 2 },
    ]),
  )
})

test('releases its walks when it stops, and another fan-out finishes them', async () => {
  const uid = randomUUID()
  const values = numbered(40_000)
  const first = startFanOut()
  await queue.enqueue(sendTo('fcm', values, { uid }))
  await vi.waitFor(async () => expect((await readStored(uid)).length).toBeGreaterThan(0), { interval: 1 })
  await first.stop()
  startFanOut()
  await vi.waitFor(async () => expect((await readStored(uid)).length).toBeGreaterThanOrEqual(values.length), {
    timeout: 20_000,
    interval: 100,
  })
  expect(await readStored(uid)).toEqual(values)
})
