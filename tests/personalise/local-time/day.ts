// A day in seconds: a send with a window to devices in all zones, with clocks that a test moves. Each time the workers'
// clock moves forward, the due times of the waiting batches move back by the same time.
import { setTimeout as delay } from 'node:timers/promises'
import type { ProviderName } from '../../../src/config/provider-names.ts'
import { Worker } from '../../../src/delivery/worker.ts'
import { DeviceStore } from '../../../src/devices/device-store.ts'
import type { Logger } from '../../../src/observability/log.ts'
import { makeMetrics } from '../../../src/observability/metrics.ts'
import type { Batch, Provider, Settle } from '../../../src/providers/provider.ts'
import { FanOut } from '../../../src/push/fan-out.ts'
import { PageReader } from '../../../src/push/page-reader.ts'
import { FULL_DUTY } from '../../../src/queue/lane.ts'
import type { Queue } from '../../../src/queue/queue.ts'
import type { Send } from '../../../src/queue/send.ts'
import type { TimeLimit } from '../../../src/sends/time-limit.ts'
import { makeSend } from '../../queue/make-send.ts'
import { type Audience, PROVIDERS } from './audience.ts'
import type { MovableStore } from './movable-store.ts'
import { PushLog } from './push-log.ts'

const BATCH_TARGETS = 500
const POLL_MS = 20
/** The clock moves this far beyond the next due time. */
const PAST_DUE_MS = 1000
const DAY_MS = 24 * 60 * 60 * 1000

/** Accepts every push at once. */
class RecordingProvider implements Provider {
  readonly name: ProviderName
  readonly #note: (token: string) => void

  constructor(deps: { name: ProviderName; note(token: string): void }) {
    this.name = deps.name
    this.#note = deps.note
  }

  async send({ targets }: Batch, settle: Settle): Promise<void> {
    for (const [index, token] of targets.entries()) {
      this.#note(token)
      settle(index, { kind: 'sent', messageId: token })
    }
  }

  async close(): Promise<void> {}
}

interface Deps {
  audience: Audience
  store: MovableStore
  logger: Logger
}

export class Day {
  /** The pushes of all sends of this day. It has room for two sends to the whole audience. */
  readonly pushes: PushLog
  readonly queue: Queue
  readonly #deps: Deps
  readonly #worker: Worker
  readonly #fanOut: FanOut
  #aheadMs = 0

  constructor(deps: Deps) {
    const { audience, store, logger } = deps
    this.#deps = deps
    this.queue = store.queue
    this.pushes = new PushLog(audience.count * 2)
    const now = () => this.now()
    const devices = new DeviceStore({ sql: audience.sql, now })
    const note = (token: string) => this.pushes.add(Number(token), now())
    const providers = new Map(PROVIDERS.map((name) => [name, new RecordingProvider({ name, note })]))
    const batchSizes = new Map(PROVIDERS.map((name) => [name, BATCH_TARGETS]))
    const pages = new PageReader({
      devices,
      batchSizes,

      now,
    })
    const shared = { queue: store.queue, logger, heartbeatMs: 5000 }
    this.#fanOut = new FanOut({ duty: FULL_DUTY, ...shared, pages })
    this.#worker = new Worker({
      duty: FULL_DUTY,
      ...shared,
      leaseMs: 15_000,
      loadSend: (uid) => store.queue.loadSend(uid),
      // A send with a time limit has no range batches.
      ranges: undefined,
      providers,
      batchSizes,
      removeGone: async () => 0,
      removalBreaker: undefined,
      retryPolicy: { scale: 1, random: () => 0.5 },
      metrics: makeMetrics(),
      now,
      maxBatchTargets: BATCH_TARGETS,
      concurrency: 16,
    })
    this.#fanOut.start()
    this.#worker.start()
  }

  /** The Unix time in ms of the workers' clock. */
  now(): number {
    return Date.now() + this.#aheadMs
  }

  /** Sends to the whole audience. Resolves when the due pushes are sent and the others wait. */
  async send(timeLimit: TimeLimit, over: Partial<Send> = {}): Promise<Send> {
    const filter = { ids: [], users: [], topics: [this.#deps.audience.topic], providers: [], platforms: [] }
    const notification = { json: Buffer.from('{}'), headers: new Map<string, string>() }
    const send = makeSend({
      recipient: { kind: 'filter', filter },
      content: {
        notifications: new Map(PROVIDERS.map((name) => [name, notification])),
        analyticsUid: '',
        isReliable: false,
        timeLimit,
      },
      ...over,
    })
    await this.queue.enqueue(send)
    await this.#rest()
    return send
  }

  /** Lets time pass until no batch waits, or for a day. Calls `look` after each step, when nothing is being sent. */
  async pass(look: () => void = () => undefined): Promise<void> {
    const untilMs = this.now() + DAY_MS
    for (;;) {
      const dueInMs = await this.#deps.store.readNextDue()
      if (dueInMs === undefined || this.now() + dueInMs > untilMs) return
      const ms = Math.ceil(dueInMs) + PAST_DUE_MS
      this.#aheadMs += ms
      await this.#deps.store.bringNearer(ms)
      await this.#rest()
      look()
    }
  }

  async stop(): Promise<void> {
    await this.#fanOut.stop()
    await this.#worker.stop(1000)
  }

  /** Resolves when no send is walked, and no batch is due or being sent. */
  async #rest(): Promise<void> {
    for (let stillFor = 0; stillFor < 2; stillFor++) {
      const { waiting, inFlight } = await this.queue.stats()
      const isStill = [...waiting.values(), ...inFlight.values()].every((count) => count === 0)
      const { hasWalks, readNextDue } = this.#deps.store
      if (!isStill || (await hasWalks()) || ((await readNextDue()) ?? 1) <= 0) stillFor = -1
      await delay(POLL_MS)
    }
  }
}
