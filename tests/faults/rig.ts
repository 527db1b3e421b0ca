// Real processes round a real store, with the simulator as the only provider: what a case breaks things in.
import { randomUUID } from 'node:crypto'
import * as v from 'valibot'
import { assembleQueue } from '../../src/assemble/assemble-queue.ts'
import { makeRateLimiter } from '../../src/assemble/make-rate-limiter.ts'
import { parseConfig } from '../../src/config/load.ts'
import type { Config } from '../../src/config/schema.ts'
import { openDatabase, type Sql } from '../../src/database/pool.ts'
import type { RateLimiter } from '../../src/limits/rate-limiter.ts'
import type { Logger } from '../../src/observability/log.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { makeShutdownPhases } from '../../src/shutdown-phases.ts'
import { type CentripushProcess, startCentripush } from '../support/centripush-process.ts'
import { startFcmSimulator, type TestFcmSimulator } from '../support/fcm-simulator.ts'
import { makeTestLogger, PAYLOAD_MARK } from '../support/run-log.ts'
import { alteredServer } from './alterations.ts'
import { type Audience, storeAudience } from './audience.ts'
import type { Backend, Settings } from './backend.ts'
import { Deliveries } from './deliveries.ts'
import type { Scale } from './scale.ts'
import { waitUntil } from './wait.ts'

const KEY = 'key-of-the-clients'
const DEFAULT_BATCH_SIZE = 500
/** Of the forty connections that a worker opens to FCM. */
const MAX_STREAMS = 10
/** What a worker can have in flight then. */
export const MAX_REQUESTS_IN_FLIGHT = 40 * MAX_STREAMS
/** A walk goes on two leases after its worker's death at the latest, plus what a process takes to start when all is slow. */
const LEASES_WITHOUT_WORK = 2
const START_MS = 15_000
/** So many times that long while batches wait, which nobody claims then: a slow machine is not to be taken for that. */
const STUCK_FACTOR = 3
/** A million devices. */
const STORING_TIMEOUT_MS = 600_000

const Reply = v.object({
  result: v.optional(v.record(v.string(), v.unknown())),
  error: v.optional(v.object({ code: v.number(), message: v.string() })),
})
export type Reply = v.InferOutput<typeof Reply>

export interface RigOptions {
  backend: Backend
  scale: Scale
  /** Alterations of every process (alterations.ts): mistakes that a case has to notice. */
  alterations?: readonly string[]
}

export interface ProcessOptions {
  /** Alterations of this process besides the rig's. */
  alterations?: readonly string[]
  /** Targets of a batch. */
  batchSize?: number
}

interface Parts extends RigOptions {
  fcm: TestFcmSimulator
  sql: Sql
  queue: Queue
  closeQueue(): Promise<void>
  config: Config
  logger: Logger
}

export class Rig {
  readonly backend: Backend
  readonly scale: Scale
  readonly deliveries: Deliveries
  /** The queue itself, without a mistake: to look at. */
  readonly queue: Queue
  readonly #parts: Parts
  readonly #processes: Promise<CentripushProcess>[] = []
  readonly #unended = new Set<string>()
  readonly #shutdown: ReturnType<typeof makeShutdownPhases>
  #api: Promise<CentripushProcess> | undefined
  /** Since when nothing is to be done, since when nothing was sent, and how many pushes there were then. */
  #rest = { sinceMs: 0, sentMs: 0, total: 0 }

  private constructor(parts: Parts) {
    this.#parts = parts
    this.#shutdown = makeShutdownPhases(parts.logger)
    this.backend = parts.backend
    this.scale = parts.scale
    this.queue = parts.queue
    this.deliveries = new Deliveries({ simulator: parts.fcm.simulator })
  }

  static async start(options: RigOptions): Promise<Rig> {
    const { backend, scale } = options
    // Late enough that who takes over a batch still waits for its answers when the worker that lost it comes back.
    const fcm = await startFcmSimulator({ slowMs: scale.leaseMs * 1.2, maxStreams: MAX_STREAMS })
    const sql = openDatabase({ dsn: backend.dsn, maxConnections: 2, statementTimeoutMs: STORING_TIMEOUT_MS })
    const config = parseConfig(makeSettings(options, fcm, DEFAULT_BATCH_SIZE))
    const logger = makeTestLogger()
    const { queue, stop } = await assembleQueue({ config, logger })
    return new Rig({ ...options, fcm, sql, queue, closeQueue: stop, config, logger })
  }

  /** A uid that no send has had, with a word to know it by. */
  makeUid(word: string): string {
    return `${word} ${randomUUID()}`
  }

  /** Devices that follow `topic`, the same ones however often it is called. */
  audience(topic: string, count: number): Promise<Audience> {
    return storeAudience(this.#parts.sql, topic, count)
  }

  /** The uuid of each of an audience's devices, by its token. */
  async findDeviceIds({ topic }: Audience): Promise<ReadonlyMap<string, string>> {
    const rows = await this.#parts.sql<{ token: string; id: string }[]>`
      select d.token, d.id from devices d join device_topics on device_id = d.id join topics t on t.id = topic_id
      where t.name = ${topic}`
    return new Map(rows.map(({ token, id }) => [token, id]))
  }

  /** The rate limiter that the servers share. */
  async openLimiter(): Promise<RateLimiter> {
    const { sql, config, logger } = this.#parts
    const queueSql = this.backend.name === 'postgresql' ? sql : undefined
    return await makeRateLimiter({ config, logger }, queueSql, this.#shutdown.onStop)
  }

  /** A server process; it ends with the case at the latest. */
  startProcess(role: 'api' | 'worker', options: ProcessOptions = {}): Promise<CentripushProcess> {
    const server = this.#startProcess(role, options)
    this.#processes.push(server)
    return server
  }

  #startProcess(role: 'api' | 'worker', options: ProcessOptions): Promise<CentripushProcess> {
    const alterations = [...(this.#parts.alterations ?? []), ...(options.alterations ?? [])]
    const settings = makeSettings(this.#parts, this.#parts.fcm, options.batchSize ?? DEFAULT_BATCH_SIZE)
    return startCentripush(settings, { role, ...(alterations.length > 0 && alteredServer(alterations)) })
  }

  /** Calls a method of the API; of the one that lives as long as the rig unless another is named. Rejects without answer. */
  async call(method: string, params: object, api?: CentripushProcess): Promise<Reply> {
    if (!api) this.#api ??= this.#startProcess('api', {})
    const { url = '' } = api ?? (await this.#api) ?? {}
    const answer = await fetch(`${url}/api/${method}`, {
      method: 'POST',
      headers: { 'x-api-key': KEY },
      body: JSON.stringify(params),
    })
    return v.parse(Reply, await answer.json())
  }

  /** Parameters of a send whose pushes the log knows by `uid`. */
  sendParams(uid: string, filter: object, more: object = {}, data: Record<string, string> = {}): object {
    this.#unended.add(uid)
    this.noteWork()
    const notification = { fcm: { message: { data: { ...data, uid, text: PAYLOAD_MARK } } } }
    return { uid, recipient: { filter }, notification, ...more }
  }

  /** Sends to an audience. @returns Unix time in ms at which it was accepted */
  async sendTo({ topic }: Audience, uid: string, more: object = {}): Promise<number> {
    const { error } = await this.call('send_push_notification', this.sendParams(uid, { topics: [topic] }, more))
    if (error) throw new Error(`the send was refused: ${error.code} ${error.message}`)
    return Date.now()
  }

  /** Cancels a send, or what of it goes to one user. @returns Unix time in ms of the answer */
  async cancel(uid: string, user = ''): Promise<number> {
    const { error } = await this.call('cancel_push', { uid, user })
    if (error) throw new Error(`the cancellation was refused: ${error.code} ${error.message}`)
    return Date.now()
  }

  /** Resolves when there were `total` pushes of any sends, or a send is over before that. */
  async reach(total: number, uid: string): Promise<void> {
    let isReached = false
    const reached = this.deliveries.reach(total).finally(() => {
      isReached = true
    })
    await Promise.race([reached, waitUntil(`${total} pushes`, async () => isReached || (await this.isOver(uid)))])
  }

  /** Resolves when a send is over. */
  async waitForEnd(uid: string): Promise<void> {
    await waitUntil(`the end of the send ${uid}`, () => this.isOver(uid))
    this.#unended.delete(uid)
  }

  /**
   * Whether a send has ended, or is not going to: for longer than a worker may hang nothing waits and nothing is sent, or
   * for far longer what waits is not sent.
   */
  async isOver(uid: string): Promise<boolean> {
    if ((await this.queue.loadContent(uid)) === undefined) return true
    if (this.deliveries.total !== this.#rest.total) this.noteWork()
    else if (!(await this.#isAtRest())) this.#rest.sinceMs = Date.now()
    const hangMs = LEASES_WITHOUT_WORK * this.scale.leaseMs + START_MS
    const { sinceMs, sentMs } = this.#rest
    return Date.now() - sinceMs > hangMs || Date.now() - sentMs > STUCK_FACTOR * hangMs
  }

  /** To be told when a case itself takes batches out of the queue, which no log shows. */
  noteWork(): void {
    this.#rest = { sinceMs: Date.now(), sentMs: Date.now(), total: this.deliveries.total }
  }

  /** Resolves when no batch waits or is being sent. */
  async waitForRest(): Promise<void> {
    await waitUntil('an empty queue', () => this.#isAtRest())
  }

  async #isAtRest(): Promise<boolean> {
    const { waiting, inFlight } = await this.queue.stats()
    return [...waiting.values(), ...inFlight.values()].every((count) => count === 0)
  }

  /** Ends all processes but the standing API, and what a case left unfinished. */
  async clear(): Promise<void> {
    await killAll(this.#processes.splice(0))
    for (const uid of this.#unended) await this.queue.cancel(uid)
    this.#unended.clear()
  }

  async stop(): Promise<void> {
    await this.clear()
    await (await this.#api?.catch(() => undefined))?.kill()
    await this.#shutdown.stop(0)
    await this.#parts.closeQueue()
    await this.#parts.sql.end({ timeout: 1 })
    await this.#parts.fcm.stop()
  }
}

/** Also those that are still starting. One that did not start has ended already. */
async function killAll(processes: readonly Promise<CentripushProcess>[]): Promise<void> {
  const started = await Promise.allSettled(processes)
  await Promise.all(started.map((start) => (start.status === 'fulfilled' ? start.value.kill() : undefined)))
}

function makeSettings({ backend, scale }: RigOptions, { simulator }: TestFcmSimulator, batchSize: number): Settings {
  const { origin, files } = simulator
  return {
    http_api: { key: KEY },
    database: { postgresql: { dsn: backend.dsn } },
    push_notifications: {
      enabled_providers: ['fcm'],
      queue: backend.queueSettings,
      fcm: {
        credentials_file: files.credentials,
        ca_file: files.ca,
        push_endpoint: origin,
        auth_endpoint: origin,
        tokens_batch_size: batchSize,
      },
    },
    worker: { lease: `${scale.leaseMs}ms`, heartbeat: `${scale.heartbeatMs}ms` },
  }
}
