// Broadcasts whose pages the workers take: from device rows to a provider, with what can happen to a page on the way.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ProviderName } from '../../src/config/provider-names.ts'
import { Worker } from '../../src/delivery/worker.ts'
import { DeviceStore } from '../../src/devices/device-store.ts'
import { makeMetrics } from '../../src/observability/metrics.ts'
import type { Outcome } from '../../src/providers/provider.ts'
import { LostParts } from '../../src/push/lost-parts.ts'
import { PageTaker } from '../../src/push/page-taker.ts'
import { PageReader } from '../../src/push/pages.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { FULL_DUTY } from '../../src/queue/lane.ts'
import type { NewBatch } from '../../src/queue/batch.ts'
import type { SendContent } from '../../src/sends/send-content.ts'
import { encodeNativeTargets, readValue } from '../../src/sends/target-line.ts'
import { splitLines } from '../../src/sends/line-bytes.ts'
import { ScriptedProvider } from '../delivery/scripted-provider.ts'
import { makeSend } from '../queue/make-send.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { makeTestLogger } from '../support/run-log.ts'

const logger = makeTestLogger()
const SENT: Outcome = { kind: 'sent', messageId: 'm' }
const CODES = { fcm: 1, hms: 2 } as const
const never = new AbortController().signal

let database: TestDatabase
let queue: PostgresQueue
let store: DeviceStore
let pages: PageReader
const stops: (() => Promise<void>)[] = []

beforeEach(async () => {
  database = await createTestDatabase()
  queue = new PostgresQueue({ sql: database.queueSql, logger, leaseMs: 1000, maxJobs: 100_000 })
  store = new DeviceStore({ sql: database.sql, now: Date.now, replicas: undefined })
  pages = new PageReader({
    pageTargets: (...args) => store.pageTargets(...args),
    findPageEnd: (...args) => store.findPageEnd(...args),
    batchSizes: new Map<ProviderName, number>([
      ['fcm', 500],
      ['hms', 1000],
    ]),
    onSkipped: () => undefined,
    now: Date.now,
  })
})
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()))
  await queue.close()
  await database.drop()
})

/** What a server has; a taker that is not its worker's stands for one that died. */
const takerOf = () => new PageTaker({ takenPages: queue.takenPages, pages, logger })

function startWorker(fcm: ScriptedProvider, hms?: ScriptedProvider): Worker {
  const worker = new Worker({
    duty: FULL_DUTY,
    queue,
    providers: new Map<ProviderName, ScriptedProvider>([['fcm', fcm], ...(hms ? [['hms', hms] as const] : [])]),
    removeGone: async () => 0,
    removalBreaker: undefined,
    retryPolicy: { scale: 0.01, random: () => 0.5 },
    metrics: makeMetrics(),
    logger,
    now: Date.now,
    maxBatchTargets: 1000,
    concurrency: 16,
    heartbeatMs: 200,
    pages: takerOf(),
  })
  worker.start()
  stops.push(() => worker.stop(0))
  return worker
}

function startLostParts(): void {
  const lost = new LostParts({ takenPages: queue.takenPages, pages, logger, intervalMs: 100 })
  lost.start()
  stops.push(() => lost.stop())
}

/** Devices that follow `topic`, by SQL: their tokens. */
async function storeDevices(topic: string, provider: keyof typeof CODES, count: number): Promise<string[]> {
  const { sql } = database
  await sql`insert into topics (name) values (${topic}) on conflict do nothing`
  const rows = await sql<{ token: string }[]>`
    with added as (
      insert into devices (id, created_at, updated_at, registered_at, provider, platform, token, user_id)
      select gen_random_uuid(), now(), now(), now(), ${CODES[provider]}, 2, ${`${provider}-`} || i, 'u' || i
      from generate_series(1, ${count}::int) as i
      returning id, token
    ), followed as (
      insert into device_topics (topic_id, device_id) select t.id, a.id from topics t, added a where t.name = ${topic}
    )
    select token from added`
  await sql`vacuum analyze devices, device_topics`
  return rows.map(({ token }) => token)
}

const notification = { json: Buffer.from('{}'), headers: new Map<string, string>() }
const CONTENT: SendContent = {
  notifications: new Map([
    ['fcm', notification],
    ['hms', notification],
  ]),
  analyticsUid: '',
  isReliable: false,
}

async function sendTo(topic: string): Promise<string> {
  const filter = { ids: [], users: [], topics: [topic], providers: [], platforms: [] }
  const uid = randomUUID()
  await queue.enqueue(makeSend({ uid, takesPages: true, recipient: { kind: 'filter', filter }, content: CONTENT }))
  return uid
}

/** As many batches as may wait for a paused provider. */
async function fill(provider: ProviderName): Promise<string> {
  const lines = encodeNativeTargets(['x'])
  const batch: NewBatch = { provider, lane: 'broadcast', targetKind: 'token', lines, count: 1 }
  const send = makeSend({ content: CONTENT })
  await queue.enqueue(send, { batches: Array.from({ length: 2000 }, () => batch), cursor: undefined })
  return send.uid
}

/** The queue forgets what a send holds when it has ended. */
const waitForEnd = (uid: string) =>
  vi.waitFor(async () => expect(await queue.loadContent(uid)).toBeUndefined(), { timeout: 30_000, interval: 20 })

/** Everything that the queue has of a send. */
async function countRows() {
  const [row] = await database.sql<{ written: number; taken: number; pages: number; walks: number }[]>`
    select (select count(*)::int from push_batches where targets is not null) as written,
      (select count(*)::int from push_batches where targets is null) as taken,
      (select count(*)::int from push_pages) as pages, (select count(*)::int from push_walks) as walks`
  return row
}

test('two workers send to each device of several providers and pages once, and nothing of it is written', async () => {
  const fcmTokens = await storeDevices('all', 'fcm', 12_345)
  const hmsTokens = await storeDevices('all', 'hms', 5_432)
  const fcm = new ScriptedProvider(async () => SENT)
  const hms = new ScriptedProvider(async () => SENT)
  let written = 0
  const { takenPages } = queue
  const openPage = takenPages.openPage.bind(takenPages)
  vi.spyOn(takenPages, 'openPage').mockImplementation(async (page, batches) => {
    const opened = await openPage(page, batches)
    written += (await countRows())?.written ?? 0
    return opened
  })
  startWorker(fcm, hms)
  startWorker(fcm, hms)
  await waitForEnd(await sendTo('all'))
  expect(fcm.received.sort()).toEqual(fcmTokens.sort())
  expect(hms.received.sort()).toEqual(hmsTokens.sort())
  expect(written).toBe(0)
  expect(await countRows()).toEqual({ written: 0, taken: 0, pages: 0, walks: 0 })
})

test('what a worker had taken when it died is sent by another, to each device once', async () => {
  const tokens = await storeDevices('all', 'fcm', 12_345)
  const uid = await sendTo('all')
  // One died with its batches, one before it had read its page.
  const batches = await takerOf().take(never)
  expect(batches?.reduce((sum, { count }) => sum + count, 0)).toBe(5000)
  const claim = await queue.takenPages.claimSend()
  if (!claim) throw new Error('the walk was not given back')
  await queue.takenPages.takePage(claim, await pages.findEnd(claim, claim.cursor, 5000))
  expect(await countRows()).toEqual({ written: 0, taken: 10, pages: 1, walks: 1 })
  const fcm = new ScriptedProvider(async () => SENT)
  startWorker(fcm)
  startLostParts()
  await waitForEnd(uid)
  expect(fcm.received.sort()).toEqual(tokens.sort())
})

test('a lost batch meets the devices of now: none that is gone, and those that came between them', async () => {
  await storeDevices('all', 'fcm', 1000)
  const uid = await sendTo('all')
  const [batch] = (await takerOf().take(never)) ?? []
  const ids = (batch?.lines ?? []).map((line) => line.slice(0, 36))
  const [gone, before = ''] = [ids.slice(10, 13), ids[20]]
  // The id behind `before`: clients may name theirs.
  const between = `${before.slice(0, -12)}${(BigInt(`0x${before.slice(-12)}`) + 1n).toString(16).padStart(12, '0')}`
  await database.sql`delete from devices where id = any(${gone}::uuid[])`
  await database.sql`
    with added as (
      insert into devices (id, created_at, updated_at, registered_at, provider, platform, token, user_id)
      values (${between}, now(), now(), now(), ${CODES.fcm}, 2, 'between', '') returning id
    )
    insert into device_topics (topic_id, device_id) select t.id, added.id from topics t, added`
  const fcm = new ScriptedProvider(async () => SENT)
  startWorker(fcm)
  startLostParts()
  await waitForEnd(uid)
  const goneTokens = (batch?.lines ?? []).slice(10, 13).map(readValue)
  expect(fcm.received).toHaveLength(998)
  expect(new Set(fcm.received).size).toBe(998)
  expect(fcm.received).toContain('between')
  for (const token of goneTokens) expect(fcm.received).not.toContain(token)
})

test('the batches of a paused provider wait in the queue, those of others are sent, and after it all are', async () => {
  const fcmTokens = await storeDevices('all', 'fcm', 6000)
  const hmsTokens = await storeDevices('all', 'hms', 6000)
  await queue.pause('hms', 'until it is mended', undefined)
  const fcm = new ScriptedProvider(async () => SENT)
  const hms = new ScriptedProvider(async () => SENT)
  startWorker(fcm, hms)
  const uid = await sendTo('all')
  await vi.waitFor(() => expect(fcm.received).toHaveLength(fcmTokens.length), { timeout: 20_000 })
  await vi.waitFor(async () => expect(await countRows()).toMatchObject({ taken: 0, pages: 0, walks: 0 }))
  expect(hms.received).toEqual([])
  expect((await countRows())?.written).toBeGreaterThanOrEqual(6)
  await queue.resume('hms')
  await waitForEnd(uid)
  expect(fcm.received.sort()).toEqual(fcmTokens.sort())
  expect(hms.received.sort()).toEqual(hmsTokens.sort())
})

test('a walk rests while a paused provider has too many batches waiting, and loses nothing', async () => {
  const tokens = await storeDevices('all', 'hms', 6000)
  await queue.pause('hms', 'until it is mended', undefined)
  const filling = await fill('hms')
  const uid = await sendTo('all')
  expect(await takerOf().take(never)).toEqual([])
  expect(await takerOf().take(never)).toBeUndefined()
  expect(await countRows()).toEqual({ written: 2000, taken: 0, pages: 1, walks: 1 })
  const hms = new ScriptedProvider(async () => SENT)
  await queue.resume('hms')
  startWorker(new ScriptedProvider(async () => SENT), hms)
  startLostParts()
  await waitForEnd(uid)
  await waitForEnd(filling)
  expect(hms.received.filter((token) => token !== 'x').sort()).toEqual(tokens.sort())
})

test('a send that is cancelled while its pages are taken sends no batch that was not begun', async () => {
  await storeDevices('all', 'fcm', 12_000)
  const uid = await sendTo('all')
  const claim = await queue.takenPages.claimSend()
  if (!claim) throw new Error('the walk is not due')
  const page = await queue.takenPages.takePage(claim, await pages.findEnd(claim, undefined, 5000))
  if (page === 'lost') throw new Error('the page is not ours')
  await queue.cancel(uid)
  const opened = await queue.takenPages.openPage(page, (await pages.readRange(claim, page.range, 5000)).batches)
  expect(new Set(Array.isArray(opened) ? opened.map(({ sendState }) => sendState) : opened)).toEqual(
    new Set(['cancelled']),
  )
  expect(await queue.takenPages.takePage(claim, undefined)).toBe('lost')
  expect(await takerOf().take(never)).toBeUndefined()
  const fcm = new ScriptedProvider(async () => SENT)
  startWorker(fcm)
  startLostParts()
  await vi.waitFor(async () => expect(await countRows()).toEqual({ written: 0, taken: 0, pages: 0, walks: 0 }), {
    timeout: 20_000,
  })
  expect(fcm.received).toEqual([])
})

test('a worker that stops gives back what it has not begun, and another one sends it, each once', async () => {
  const tokens = await storeDevices('all', 'fcm', 12_345)
  let release: () => void = () => undefined
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const held = new ScriptedProvider(async () => {
    await released
    return SENT
  })
  const first = startWorker(held)
  const uid = await sendTo('all')
  await vi.waitFor(() => expect(held.received.length).toBeGreaterThan(0))
  const stopped = first.stop(10_000)
  release()
  await stopped
  const fcm = new ScriptedProvider(async () => SENT)
  startWorker(fcm)
  startLostParts()
  await waitForEnd(uid)
  expect([...held.received, ...fcm.received].sort()).toEqual(tokens.sort())
})

test('while a paused provider has too many batches waiting no further page is taken or read', async () => {
  await storeDevices('all', 'hms', 20_000)
  await queue.pause('hms', 'until it is mended', undefined)
  await fill('hms')
  await sendTo('all')
  const read = vi.spyOn(store, 'pageTargets')
  startLostParts()
  const taken = []
  const endMs = Date.now() + 4000
  while (Date.now() < endMs) {
    taken.push(await takerOf().take(never))
    await takerOf().wait(50, never)
  }
  expect(taken.filter((batches) => batches !== undefined)).toEqual([[]])
  // Once when it was taken, and once a second since.
  expect(read.mock.calls.length).toBeLessThanOrEqual(5)
  expect(await countRows()).toEqual({ written: 2000, taken: 0, pages: 1, walks: 1 })
})

test('what an error keeps from being taken or read is given back at once, and no lease is waited for', async () => {
  await storeDevices('all', 'fcm', 10)
  const patient = new PostgresQueue({ sql: database.queueSql, logger, leaseMs: 60_000, maxJobs: 1000 })
  stops.push(() => patient.close())
  const { takenPages } = patient
  const taker = new PageTaker({ takenPages, pages, logger })
  await sendTo('all')
  vi.spyOn(store, 'findPageEnd').mockRejectedValueOnce(new Error('the database is away'))
  expect(await taker.take(never)).toEqual([])
  vi.spyOn(takenPages, 'takePage').mockRejectedValueOnce(new Error('the queue is away'))
  expect(await taker.take(never)).toEqual([])
  vi.spyOn(store, 'pageTargets').mockRejectedValueOnce(new Error('the database is away'))
  expect(await taker.take(never)).toEqual([])
  expect(await takenPages.claimLost(1)).toHaveLength(1)
})

test('a page that can’t be read keeps no other from being restored', async () => {
  await storeDevices('bad', 'fcm', 10)
  const tokens = await storeDevices('good', 'hms', 10)
  const [bad, good] = [await sendTo('bad'), await sendTo('good')]
  for (let page = 0; page < 2; page++) {
    const claim = await queue.takenPages.claimSend()
    if (claim) await queue.takenPages.takePage(claim, undefined)
  }
  const { pageTargets } = store
  vi.spyOn(store, 'pageTargets').mockImplementation((filter, ...page) =>
    filter.topics.includes('bad') ? Promise.reject(new Error('too slow')) : pageTargets.call(store, filter, ...page),
  )
  const hms = new ScriptedProvider(async () => SENT)
  startWorker(new ScriptedProvider(async () => SENT), hms)
  startLostParts()
  await waitForEnd(good)
  expect(hms.received.sort()).toEqual(tokens.sort())
  expect(await queue.loadContent(bad)).toBeDefined()
})

test('batches in the queue and pages that are taken take turns', async () => {
  const EACH = 40_000
  await storeDevices('all', 'fcm', EACH)
  const values = Array.from({ length: EACH }, (_, index) => `written-${index}`)
  const batches = splitLines(encodeNativeTargets(values), values.length, 500)
  const batch = { provider: 'fcm', lane: 'broadcast', targetKind: 'token' } as const
  const written = makeSend({ content: CONTENT })
  // Slower than pages are read, so that there is always both.
  const fcm = new ScriptedProvider(async () => {
    await delay(200)
    return SENT
  })
  await queue.enqueue(written, { batches: batches.map((part) => ({ ...batch, ...part })), cursor: undefined })
  const taken = await sendTo('all')
  startWorker(fcm)
  await Promise.all([waitForEnd(written.uid), waitForEnd(taken)])
  const half = fcm.received.slice(0, EACH)
  const share = half.filter((token) => token.startsWith('written')).length / EACH
  expect(share).toBeGreaterThan(0.2)
  expect(share).toBeLessThan(0.8)
})

test('a topic that nobody follows ends at once', async () => {
  startWorker(new ScriptedProvider(async () => SENT))
  await waitForEnd(await sendTo('nobody'))
  expect(await countRows()).toEqual({ written: 0, taken: 0, pages: 0, walks: 0 })
})
