// The environment of a case: real server processes on a real store, with the simulator as their only provider.
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
import { type Audience, Audiences } from './audience.ts'
import type { Backend } from './backend.ts'
import { Deliveries } from './deliveries.ts'
import type { Scale } from './scale.ts'
import { API_KEY, makeSettings, type ProcessOptions } from './settings.ts'
import { waitUntil } from './wait.ts'

/** Streams of each connection to the simulator. */
const MAX_STREAMS = 10
/** Connections of a worker to FCM (`MAX_CONNECTIONS` in src/providers/fcm/fcm.ts). */
const MAX_CONNECTIONS = 50
/** Requests that a worker can have in flight. */
export const MAX_REQUESTS_IN_FLIGHT = MAX_CONNECTIONS * MAX_STREAMS
/** A killed worker's walk is taken over after two leases at the latest, and a process starts within this time. */
const LEASES_WITHOUT_WORK = 2
const START_MS = 15_000
/** A send with waiting batches counts as stuck only after this multiple of that time, because a machine may be slow. */
const STUCK_FACTOR = 3
/** Storing a million devices takes minutes. */
const STORING_TIMEOUT_MS = 600_000

const Reply = v.object({
  result: v.optional(v.record(v.string(), v.unknown())),
  error: v.optional(v.object({ code: v.number(), message: v.string() })),
})
/** The reply of an API method. */
export type Reply = v.InferOutput<typeof Reply>

/** The options of a rig. */
export interface RigOptions {
  backend: Backend
  scale: Scale
  /** Alterations of every process (alterations.ts): the mistakes that a case has to notice. */
  alterations?: readonly string[]
}

interface Parts extends RigOptions {
  fcm: TestFcmSimulator
  sql: Sql
  queue: Queue
  closeQueue(): Promise<void>
  config: Config
  logger: Logger
}

/** A store, the simulator and the server processes of a round. */
export class Rig {
  readonly backend: Backend
  readonly scale: Scale
  /** The pushes that the simulator accepted. */
  readonly deliveries: Deliveries
  readonly audiences: Audiences
  /** The queue without alterations, for reading its state. */
  readonly queue: Queue
  readonly #parts: Parts
  readonly #processes: Promise<CentripushProcess>[] = []
  readonly #unended = new Set<string>()
  readonly #shutdown: ReturnType<typeof makeShutdownPhases>
  #api: Promise<CentripushProcess> | undefined
  /** Since when the queue has had no batch, since when nothing was sent, and the number of pushes at that time. */
  #rest = { sinceMs: 0, sentMs: 0, total: 0 }

  private constructor(parts: Parts) {
    this.#parts = parts
    this.#shutdown = makeShutdownPhases(parts.logger)
    this.backend = parts.backend
    this.scale = parts.scale
    this.queue = parts.queue
    this.audiences = new Audiences(parts)
    this.deliveries = new Deliveries({ simulator: parts.fcm.simulator })
  }

  /** Starts the simulator and connects to the store; processes are started by the cases. */
  static async start(options: RigOptions): Promise<Rig> {
    const { backend, scale } = options
    // Slow answers take longer than a lease. When a frozen worker goes on, both workers have the batch in flight.
    const fcm = await startFcmSimulator({ slowMs: scale.leaseMs * 1.2, maxStreams: MAX_STREAMS })
    const sql = openDatabase({ dsn: backend.dsn, maxConnections: 2, statementTimeoutMs: STORING_TIMEOUT_MS })
    const config = parseConfig(makeSettings({ backend, scale, fcm }))
    const logger = makeTestLogger()
    const { queue, stop } = await assembleQueue({ config, logger })
    return new Rig({ ...options, fcm, sql, queue, closeQueue: stop, config, logger })
  }

  /** A new uid that starts with `word`. */
  makeUid(word: string): string {
    return `${word} ${randomUUID()}`
  }

  /** The devices that are subscribed to `topic`; they are stored by the first call. */
  audience(topic: string, count: number): Promise<Audience> {
    return this.audiences.store(topic, count)
  }

  /** Opens the rate limiter that the servers share. It is closed with the rig. */
  async openLimiter(): Promise<RateLimiter> {
    const { sql, config, logger } = this.#parts
    const queueSql = this.backend.name === 'postgresql' ? sql : undefined
    return await makeRateLimiter({ config, logger }, queueSql, this.#shutdown.onStop)
  }

  /** Starts a server process. It ends with the case at the latest. */
  startProcess(role: 'api' | 'worker', options: ProcessOptions = {}): Promise<CentripushProcess> {
    const server = this.#startProcess(role, options)
    this.#processes.push(server)
    // A slow start must not count as idle time of the queue.
    server.then(
      () => this.noteWork(),
      () => undefined,
    )
    return server
  }

  #startProcess(role: 'api' | 'worker', options: ProcessOptions): Promise<CentripushProcess> {
    const alterations = [...(this.#parts.alterations ?? []), ...(options.alterations ?? [])]
    return startCentripush(makeSettings(this.#parts, options), {
      role,
      ...(alterations.length > 0 && alteredServer(alterations)),
    })
  }

  /** Calls a method of `api`, or of the API process that the rig keeps. Rejects when no answer comes. */
  async call(method: string, params: object, api?: CentripushProcess): Promise<Reply> {
    if (!api) this.#api ??= this.#startProcess('api', {})
    const { url = '' } = api ?? (await this.#api) ?? {}
    const answer = await fetch(`${url}/api/${method}`, {
      method: 'POST',
      headers: { 'x-api-key': API_KEY },
      body: JSON.stringify(params),
    })
    return v.parse(Reply, await answer.json())
  }

  /** The parameters of a send. Its pushes carry `uid`, by which `deliveries` finds them. */
  sendParams(uid: string, filter: object, more: object = {}, data: Record<string, string> = {}): object {
    this.#unended.add(uid)
    this.noteWork()
    const notification = { fcm: { message: { data: { ...data, uid, text: PAYLOAD_MARK } } } }
    return { uid, recipient: { filter }, notification, ...more }
  }

  /** Sends to an audience. @returns the Unix time in ms of the API's answer */
  async sendTo({ topic }: Audience, uid: string, more: object = {}): Promise<number> {
    const { error } = await this.call('send_push_notification', this.sendParams(uid, { topics: [topic] }, more))
    if (error) throw new Error(`the send was refused: ${error.code} ${error.message}`)
    return Date.now()
  }

  /** Cancels a send, or its pushes to one user. @returns the Unix time in ms of the answer */
  async cancel(uid: string, user = ''): Promise<number> {
    const { error } = await this.call('cancel_push', { uid, user })
    if (error) throw new Error(`the cancellation was refused: ${error.code} ${error.message}`)
    return Date.now()
  }

  /** Resolves when there are `total` pushes of all sends, or when the send `uid` has ended before. */
  async reach(total: number, uid: string): Promise<void> {
    let isReached = false
    const reached = this.deliveries.reach(total).finally(() => {
      isReached = true
    })
    await Promise.race([reached, waitUntil(`${total} pushes`, async () => isReached || (await this.isOver(uid)))])
  }

  /** Resolves when a send has ended. */
  async waitForEnd(uid: string): Promise<void> {
    await waitUntil(`the end of the send ${uid}`, () => this.isOver(uid))
    this.#unended.delete(uid)
  }

  /**
   * Whether a send has ended, or will never end. It counts as stuck when it has no batch and no push for longer than a
   * worker may hang, or when its waiting batches are not sent for much longer.
   */
  async isOver(uid: string): Promise<boolean> {
    if ((await this.queue.loadSend(uid))?.content === undefined) return true
    if (this.deliveries.total !== this.#rest.total) this.noteWork()
    else if (!(await this.#isAtRest())) this.#rest.sinceMs = Date.now()
    const hangMs = LEASES_WITHOUT_WORK * this.scale.leaseMs + START_MS
    const { sinceMs, sentMs } = this.#rest
    return Date.now() - sinceMs > hangMs || Date.now() - sentMs > STUCK_FACTOR * hangMs
  }

  /** Restarts the times of `isOver`. A case that claims batches itself calls it: the simulator sees no push of them. */
  noteWork(): void {
    this.#rest = { sinceMs: Date.now(), sentMs: Date.now(), total: this.deliveries.total }
  }

  /** Resolves when no batch is waiting or claimed. */
  async waitForRest(): Promise<void> {
    await waitUntil('an empty queue', () => this.#isAtRest())
  }

  async #isAtRest(): Promise<boolean> {
    const { waiting, inFlight } = await this.queue.stats()
    return [...waiting.values(), ...inFlight.values()].every((count) => count === 0)
  }

  /** Ends all processes except the rig's API process, and cancels the sends that have not ended. */
  async clear(): Promise<void> {
    await killAll(this.#processes.splice(0))
    for (const uid of this.#unended) await this.queue.cancel(uid)
    this.#unended.clear()
  }

  /** Ends all processes and the simulator, and disconnects from the store. */
  async stop(): Promise<void> {
    await this.clear()
    await (await this.#api?.catch(() => undefined))?.kill()
    await this.#shutdown.stop(0)
    await this.#parts.closeQueue()
    await this.#parts.sql.end({ timeout: 1 })
    await this.#parts.fcm.stop()
  }
}

/** Kills running and starting processes. A process that did not start has ended already. */
async function killAll(processes: readonly Promise<CentripushProcess>[]): Promise<void> {
  const started = await Promise.allSettled(processes)
  await Promise.all(started.map((start) => (start.status === 'fulfilled' ? start.value.kill() : undefined)))
}
