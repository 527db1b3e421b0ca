// Broadcasts with range batches, from device rows to scripted providers. The devices are in PostgreSQL, the queue is in
// any store.
import { randomUUID } from 'node:crypto'
import { expect, vi } from 'vitest'
import { PROVIDER_NAMES, type ProviderName } from '../../../src/config/provider-names.ts'
import { RangeReader } from '../../../src/delivery/range-reader.ts'
import { Worker } from '../../../src/delivery/worker.ts'
import { DeviceStore } from '../../../src/devices/device-store.ts'
import { type Metrics, makeMetrics } from '../../../src/observability/metrics.ts'
import type { Batch, Settle } from '../../../src/providers/provider.ts'
import { FanOut } from '../../../src/push/fan-out.ts'
import { PageReader } from '../../../src/push/page-reader.ts'
import type { BatchClaim } from '../../../src/queue/batch.ts'
import { FULL_DUTY } from '../../../src/queue/lane.ts'
import type { Queue } from '../../../src/queue/queue.ts'
import { ScriptedProvider } from '../../delivery/scripted-provider.ts'
import { newLines } from '../../queue/make-batch.ts'
import { makeSend } from '../../queue/make-send.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { makeTestLogger } from '../../support/run-log.ts'

/** Opens an empty queue. Its store may be the database of the test. */
export type OpenQueue = (deps: {
  database: TestDatabase
  leaseMs: number
}) => Promise<{ queue: Queue; close(): Promise<void> }>

/** So short that abandoned claims are recovered within a test. */
const SHORT_LEASE_MS = 1000
const WAIT = { timeout: 30_000, interval: 20 }
/** Codes of providers in the devices table. */
const CODES = { fcm: 1, hms: 2, apns: 3 } as const
type DeviceProvider = keyof typeof CODES

const logger = makeTestLogger()
const notification = { json: Buffer.from('{}'), headers: new Map<string, string>() }
const CONTENT = {
  notifications: new Map([
    ['fcm', notification],
    ['hms', notification],
  ] as const),
  analyticsUid: '',
  isReliable: false,
}

/** A provider that accepts all targets and records the size of each call. */
export class AcceptingProvider extends ScriptedProvider {
  readonly batchSizes: number[] = []

  /** @param isOpen targets are accepted after it resolves; at once unless given */
  constructor(isOpen: Promise<unknown> = Promise.resolve()) {
    super(async () => {
      await isOpen
      return { kind: 'sent', messageId: 'm' }
    })
  }

  override async send(batch: Batch, settle: Settle, signal: AbortSignal): Promise<void> {
    this.batchSizes.push(batch.targets.length)
    await super.send(batch, settle, signal)
  }
}

/** The parts of one test. */
export class RangeRig {
  readonly database: TestDatabase
  readonly queue: Queue
  readonly store: DeviceStore
  readonly metrics = makeMetrics()
  readonly #leaseMs: number
  readonly #pages: PageReader
  readonly #batchSizes: ReadonlyMap<ProviderName, number>
  /** In the order of their end. */
  readonly #closers: (() => Promise<unknown>)[] = []

  private constructor(database: TestDatabase, queue: Queue, leaseMs: number, batchSize: number) {
    this.#leaseMs = leaseMs
    this.database = database
    this.queue = queue
    this.store = new DeviceStore({ sql: database.sql, now: Date.now, replicas: undefined })
    this.#batchSizes = new Map([
      ['fcm', batchSize],
      ['hms', batchSize],
    ])
    this.#pages = new PageReader({ devices: this.store, batchSizes: this.#batchSizes, now: Date.now })
  }

  /** @param options `batchSize`: targets of a provider's call, at most */
  static async open(open: OpenQueue, { leaseMs = SHORT_LEASE_MS, batchSize = 500 } = {}): Promise<RangeRig> {
    const database = await createTestDatabase()
    const { queue, close } = await open({ database, leaseMs })
    const rig = new RangeRig(database, queue, leaseMs, batchSize)
    rig.#closers.push(close, () => database.drop())
    return rig
  }

  async close(): Promise<void> {
    for (const close of this.#closers) await close()
  }

  startWorker(providers: Partial<Record<DeviceProvider, ScriptedProvider>>): Worker {
    const enabled = new Map(
      PROVIDER_NAMES.flatMap((name) => {
        const provider = name === 'webpush' ? undefined : providers[name]
        return provider ? [[name, provider] as const] : []
      }),
    )
    const loadSend = (uid: string) => this.queue.loadSend(uid)
    const worker = new Worker({
      duty: FULL_DUTY,
      queue: this.queue,
      loadSend,
      ranges: new RangeReader({
        devices: this.store,
        providers: new Set(this.#batchSizes.keys()),
        loadSend,
      }),
      providers: enabled,
      batchSizes: this.#batchSizes,
      removeGone: async () => 0,
      removalBreaker: undefined,
      retryPolicy: { scale: 0.01, random: Math.random },
      metrics: this.metrics,
      logger,
      now: Date.now,
      maxBatchTargets: 500,
      concurrency: 32,
      leaseMs: this.#leaseMs,
      heartbeatMs: 200,
    })
    worker.start()
    this.#closers.unshift(() => worker.stop(0))
    return worker
  }

  startFanOut(): void {
    const fanOut = new FanOut({ duty: FULL_DUTY, queue: this.queue, pages: this.#pages, logger, heartbeatMs: 200 })
    fanOut.start()
    this.#closers.unshift(() => fanOut.stop())
  }

  /**
   * Stores devices that subscribe to `topic`. Resolves to their tokens.
   * @param idPrefix the first hexadecimal digits of their ids
   */
  async storeDevices(topic: string, provider: DeviceProvider, count: number, idPrefix = ''): Promise<string[]> {
    const { sql } = this.database
    const from = idPrefix.length + 1
    await sql`insert into topics (name) values (${topic}) on conflict do nothing`
    const rows = await sql<{ token: string }[]>`
      with added as (
        insert into devices (id, created_at, updated_at, registered_at, provider, platform, token, user_id)
        select (${idPrefix} || substr(gen_random_uuid()::text, ${from}::int))::uuid, now(), now(), now(),
          ${CODES[provider]}, 2, ${`${topic}-${provider}-${idPrefix}-`} || i, 'u' || i
        from generate_series(1, ${count}::int) as i
        returning id, token
      ), followed as (
        insert into device_topics (topic_id, device_id) select t.id, a.id from topics t, added a where t.name = ${topic}
      )
      select token from added`
    await sql`vacuum analyze devices, device_topics`
    return rows.map(({ token }) => token)
  }

  /** Enqueues a send with notifications for FCM and HMS to the devices of a topic. */
  async sendTo(topic: string): Promise<string> {
    const filter = { ids: [], users: [], topics: [topic], providers: [], platforms: [] }
    const uid = randomUUID()
    await this.queue.enqueue(makeSend({ uid, recipient: { kind: 'filter', filter }, content: CONTENT }))
    return uid
  }

  /** Enqueues a send to the devices of a topic and walks it to its end. */
  async sendWalked(topic: string): Promise<string> {
    const uid = await this.sendTo(topic)
    const [walk] = await this.queue.claimSends('broadcast', 1)
    if (walk?.uid !== uid) throw new Error('expected to claim the walk of the send')
    let cursor: string | undefined
    do {
      const page = await this.#pages.read(walk, cursor)
      expect(await this.queue.commitPage({ ...walk, cursor }, page)).toBe('committed')
      cursor = page.cursor
    } while (cursor !== undefined)
    return uid
  }

  /** Enqueues waiting broadcast batches of one target with the token `x`. */
  async fill(provider: ProviderName, batches: number): Promise<string> {
    const send = makeSend({ content: CONTENT })
    const batch = { provider, lane: 'broadcast', targetKind: 'token', ...newLines(['\tx\t\t']) } as const
    await this.queue.enqueue(send, { batches: Array.from({ length: batches }, () => batch), cursor: undefined })
    return send.uid
  }

  /** Claims batches of FCM like a worker process that dies: they are neither extended nor acknowledged. */
  async claimAsDeadWorker(limit: number): Promise<BatchClaim[]> {
    const claims = await this.queue.claimBatches('broadcast', ['fcm'], limit)
    expect(claims.map(({ targets }) => targets.kind)).toEqual(Array.from({ length: limit }, () => 'range'))
    return claims
  }

  /** Resolves when a send has ended. */
  waitForEnd(uid: string): Promise<void> {
    return vi.waitFor(async () => expect(await this.queue.loadSend(uid)).toBeUndefined(), WAIT)
  }

  /** The number of targets that ended unsent, by `provider reason`. */
  readUnsent(): Promise<Record<string, number>> {
    return readByReason(this.metrics.unsent)
  }

  /** The number of devices of ranges that get no push, by `provider reason`. */
  readSkipped(): Promise<Record<string, number>> {
    return readByReason(this.metrics.skipped)
  }
}

async function readByReason(counter: Metrics['unsent']): Promise<Record<string, number>> {
  const { values } = await counter.get()
  return Object.fromEntries(values.map(({ labels, value }) => [`${labels.provider} ${labels.reason}`, value]))
}
