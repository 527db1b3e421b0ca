// Requests over a few connections to one server. Batches wait in a line; each connection takes as many requests of them
// as it has room for, the oldest connection first, so that the others fall idle and close when there is less to do.
// Connections are opened while more requests wait than the ones being opened will carry.
//
// Work is done in rounds: whatever made room or brought work only asks for one, and the round writes requests to all
// connections, each in as few writes as possible.
import { setMaxListeners } from 'node:events'
import type { LookupFunction } from 'node:net'
import type { Logger } from '../observability/log.ts'
import type { IsAddressAllowed } from './address-guard.ts'
import { type Credentials, makeSecureContext } from './connection/connect-tls.ts'
import { type ConnectionDeps, Http2Connection } from './connection/http2-connection.ts'
import { encodeSharedFields } from './hpack/field-writer.ts'
import type { Http2Answer, Http2Batch, Http2Client, Http2Request, Http2Response } from './http2-client.ts'
import { Http2Error } from './http2-error.ts'
import { DEFAULT_TIMING, type Http2Timing } from './http2-timing.ts'
import { Pace } from './pool/adaptive-concurrency.ts'
import { BatchRun } from './pool/pending-batch.ts'
import { ReconnectDelay } from './pool/reconnect-backoff.ts'
import { requestOnce } from './pool/request-once.ts'
import { WaitingLine } from './pool/round-robin-queue.ts'
import { WantedHeaders } from './session/answer-fields.ts'

/** RFC 9113 section 6.5.2 recommends servers to allow no fewer: what a connection that is being opened will carry. */
const STREAMS_UNTIL_KNOWN = 100
/** A server that names no limit means "no limit"; memory has one. */
const MAX_STREAMS = 1000
/** How often time is looked at: often enough for the shortest time-out. */
const MIN_TICK_MS = 5
const MAX_TICK_MS = 250

export interface Http2PoolOptions extends Credentials {
  /** `https://host[:port]`. */
  origin: string
  /** Resolves the host's name instead of the system. */
  lookup?: LookupFunction | undefined
  /** Asked of every address before it is connected to, also of one that stands in `origin`. All are allowed without. */
  isAddressAllowed?: IsAddressAllowed | undefined
  maxConnections: number
  /** Of one connection, where the server allows as many. 1000 unless given. */
  maxStreamsPerConnection?: number | undefined
  /**
   * Whether an answer asks us to slow down: then fewer requests are in flight for a while, and what that keeps waiting for
   * `waitTimeoutMs` fails as `no_stream_free`. By its status unless given: 429 and 503.
   */
  isBusy?: (answer: Http2Answer) => boolean
  timing?: Partial<Http2Timing>
  logger: Logger
  /** A clock that only grows, in ms. */
  nowMs?: () => number
}

export class Http2Pool implements Http2Client {
  readonly #options: Http2PoolOptions
  readonly #authority: string
  readonly #timing: Http2Timing
  readonly #connection: ConnectionDeps
  readonly #nowMs: () => number
  readonly #connections = new Set<Http2Connection>()
  /** Those that have not shown yet whether the server serves. */
  readonly #unproven = new Set<Http2Connection>()
  readonly #line = new WaitingLine()
  readonly #delay: ReconnectDelay
  readonly #pace: Pace
  #isClosed = false
  #round: NodeJS.Immediate | undefined
  #ticker: NodeJS.Timeout | undefined
  #reconnect: NodeJS.Timeout | undefined
  /** When a waiting request last found a stream, or the line began. */
  #movedAtMs = 0

  constructor(options: Http2PoolOptions) {
    const { origin, lookup, isAddressAllowed, logger, nowMs = () => performance.now() } = options
    this.#options = options
    this.#authority = new URL(origin).host
    this.#nowMs = nowMs
    this.#timing = { ...DEFAULT_TIMING, ...options.timing }
    this.#delay = new ReconnectDelay({ timing: this.#timing })
    this.#pace = new Pace({ isBusy: options.isBusy ?? (({ status }) => status === 429 || status === 503) })
    this.#connection = {
      target: { origin, secureContext: makeSecureContext(options), lookup, isAddressAllowed },
      timing: this.#timing,
      maxStreams: options.maxStreamsPerConnection ?? MAX_STREAMS,
      logger,
      nowMs,
      events: {
        onRoom: () => this.#askForRound(),
        // Before what it left behind looks for another connection.
        onGoaway: (connection) => this.#judge(connection),
        onClosed: (connection, unopened) => this.#onClosed(connection, unopened),
      },
    }
  }

  async send(batch: Http2Batch): Promise<void> {
    if (batch.count === 0) return
    const run = this.#makeRun(batch)
    const refusal = this.#refusalOf(batch, run)
    if (refusal) {
      run.failWaiting(refusal)
      return run.settled
    }
    // One signal may stop thousands of requests: Node would warn of a leak at the eleventh.
    setMaxListeners(0, batch.signal)
    const onAbort = () => this.#onAbort(run)
    batch.signal.addEventListener('abort', onAbort, { once: true })
    this.#addToLine(run)
    return run.settled.finally(() => batch.signal.removeEventListener('abort', onAbort))
  }

  request(request: Http2Request): Promise<Http2Response> {
    return requestOnce(this, request)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#reconnect)
    this.#failWaiting(new Http2Error('unsent', 'closed'))
    await Promise.all([...this.#connections].map((connection) => connection.close()))
    this.#stopTicker()
  }

  #makeRun(batch: Http2Batch): BatchRun {
    const wanted = new WantedHeaders(batch.answerHeaders ?? [])
    const [pace, startedAtMs] = [this.#pace, this.#nowMs()]
    return new BatchRun({ batch, wanted, pace, startedAtMs, onWaiting: (run) => this.#onWaiting(run) })
  }

  /** Why a batch can't even wait. */
  #refusalOf(batch: Http2Batch, run: BatchRun): Http2Error | undefined {
    if (batch.signal.aborted) return new Http2Error('aborted', 'aborted')
    if (this.#isClosed) return new Http2Error('unsent', 'closed')
    try {
      const authority = this.#authority
      const path = typeof batch.path === 'string' ? batch.path : undefined
      run.sharedFields = encodeSharedFields({ method: batch.method ?? 'POST', authority, path, headers: batch.headers })
      return undefined
    } catch {
      return new Http2Error('unsent', 'request_invalid')
    }
  }

  #onWaiting(run: BatchRun): boolean {
    if (this.#isClosed) return false
    this.#addToLine(run)
    return true
  }

  #addToLine(run: BatchRun): void {
    const isAwakened = this.#line.isEmpty && [...this.#connections].every((connection) => connection.isIdle)
    if (this.#line.isEmpty) this.#movedAtMs = this.#nowMs()
    this.#line.add(run)
    this.#startTicker()
    // What the server said to idle connections (GOAWAY, end) is read first: a request on one that was closed meanwhile
    // would end as "may have been delivered".
    if (isAwakened && this.#round === undefined) this.#round = setImmediate(() => this.#askAgain())
    else this.#askForRound()
  }

  #onAbort(run: BatchRun): void {
    this.#line.remove(run)
    run.failWaiting(new Http2Error('aborted', 'aborted'))
    for (const connection of this.#connections) connection.cancel(run)
    this.#askForRound()
  }

  /** After the events of this turn of the loop: what they bring together goes out together. */
  #askForRound(): void {
    this.#round ??= setImmediate(() => {
      this.#round = undefined
      this.#runRound()
    })
  }

  #askAgain(): void {
    this.#round = undefined
    this.#askForRound()
  }

  #runRound(): void {
    const nowMs = this.#nowMs()
    for (const connection of this.#unproven) {
      if (!connection.wasUseful) continue
      this.#unproven.delete(connection)
      this.#delay.onUseful()
    }
    for (const connection of this.#connections) {
      this.#fill(connection, nowMs)
      connection.flush()
    }
    this.#openConnections(nowMs)
  }

  #fill(connection: Http2Connection, nowMs: number): void {
    while (connection.room > 0 && this.#pace.room > 0) {
      const run = this.#line.next()
      if (!run) return
      this.#movedAtMs = nowMs
      const index = run.take()
      if (index === undefined) continue
      this.#pace.onOpened()
      connection.open(run, index, nowMs)
    }
  }

  /** Opens connections while more wait than those being opened will carry. */
  #openConnections(nowMs: number): void {
    if (this.#isClosed || this.#line.isEmpty) return
    const delayMs = this.#delay.leftMs(nowMs)
    if (delayMs > 0) {
      this.#reconnect ??= setTimeout(() => this.#onReconnect(), delayMs)
      return
    }
    const usable = [...this.#connections].filter((connection) => connection.isUsable)
    let connecting = usable.filter((connection) => connection.isConnecting).length
    let room = this.#options.maxConnections - usable.length
    if (this.#delay.isFailing) room = Math.min(room, 1 - connecting)
    const waiting = Math.min(this.#line.count(), this.#pace.room)
    for (; room > 0 && waiting > connecting * STREAMS_UNTIL_KNOWN; room--, connecting++) this.#openConnection()
  }

  #openConnection(): void {
    const connection = new Http2Connection(this.#connection)
    this.#connections.add(connection)
    this.#unproven.add(connection)
    this.#startTicker()
  }

  #onReconnect(): void {
    this.#reconnect = undefined
    this.#askForRound()
  }

  #onClosed(connection: Http2Connection, unopened: Http2Error | undefined): void {
    this.#connections.delete(connection)
    this.#judge(connection)
    // While another connection is usable, the line moves without this one.
    if (unopened && ![...this.#connections].some((other) => other.isUsable)) this.#failWaiting(unopened)
    this.#askForRound()
  }

  /** A connection that is of no more use tells whether the next one may follow at once. */
  #judge(connection: Http2Connection): void {
    if (!this.#unproven.delete(connection)) return
    if (connection.wasUseful) this.#delay.onUseful()
    else this.#delay.onUseless(this.#nowMs())
  }

  #failWaiting(error: Http2Error): void {
    for (const run of this.#line.clear()) run.failWaiting(error)
  }

  /** Nobody waits for good: not where no stream gets free, and not behind the others where few get free. */
  #failLate(nowMs: number): void {
    const latestMs = nowMs - this.#timing.waitTimeoutMs
    const error = new Http2Error('unsent', 'no_stream_free')
    if (!this.#line.isEmpty && this.#movedAtMs <= latestMs) this.#failWaiting(error)
    else if (this.#pace.isSlowed) for (const run of this.#line.takeStartedBefore(latestMs)) run.failWaiting(error)
  }

  #startTicker(): void {
    const { requestTimeoutMs, connectTimeoutMs, waitTimeoutMs, idlePingMs, pingTimeoutMs, idleCloseMs } = this.#timing
    const shortestMs = Math.min(
      requestTimeoutMs,
      connectTimeoutMs,
      waitTimeoutMs,
      idlePingMs,
      pingTimeoutMs,
      idleCloseMs,
    )
    const tickMs = Math.min(MAX_TICK_MS, Math.max(MIN_TICK_MS, shortestMs / 8))
    this.#ticker ??= setInterval(() => this.#tick(), tickMs)
  }

  #stopTicker(): void {
    clearInterval(this.#ticker)
    this.#ticker = undefined
  }

  #tick(): void {
    const nowMs = this.#nowMs()
    for (const connection of this.#connections) connection.tick(nowMs)
    this.#failLate(nowMs)
    if (this.#connections.size === 0 && this.#line.isEmpty) this.#stopTicker()
    else this.#askForRound()
  }
}
