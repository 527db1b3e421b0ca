// Requests over a few connections to one server. Batches are queued. Each connection opens as many requests as it has
// free streams, the oldest connection first, so that the others become idle and close when the load decreases.
//
// A batch leaves the queue while its confirmation is not valid: the process may have been stopped, or cut off from the
// store that knows of cancellations. Then its requests are neither sent nor failed.
//
// Requests are opened in dispatch rounds. An event that frees streams or adds requests only schedules a round; the
// round opens requests on all connections and writes them in as few socket writes as possible.
import { CircuitBreaker } from './circuit-breaker.ts'
import { makeSecureContext } from './connection/connect-tls.ts'
import type { Http2Connection } from './connection/http2-connection.ts'
import type { Http2Answer, Http2Batch, Http2Client, Http2Request, Http2Response } from './http2-client.ts'
import { Http2Error } from './http2-error.ts'
import type { Http2PoolOptions } from './http2-pool-options.ts'
import { chooseTickMs, DEFAULT_TIMING, type Http2Timing } from './http2-timing.ts'
import { AbortListeners } from './pool/abort-listeners.ts'
import { AdaptiveConcurrency } from './pool/adaptive-concurrency.ts'
import { Admission } from './pool/admission.ts'
import { ConnectionSet } from './pool/connection-set.ts'
import { PendingBatch } from './pool/pending-batch.ts'
import { requestOnce } from './pool/request-once.ts'
import { RoundRobinQueue } from './pool/round-robin-queue.ts'
import { SharedParts } from './pool/shared-parts.ts'

/** Default of `maxStreamsPerConnection`: bounds the memory for servers without a limit of their own. */
const MAX_STREAMS = 1000

/** The client of one server. Opens connections on demand. */
export class Http2Pool implements Http2Client {
  readonly #shared: SharedParts
  readonly #timing: Http2Timing
  readonly #nowMs: () => number
  readonly #connections: ConnectionSet
  readonly #queue = new RoundRobinQueue()
  /** Batches that are queued again when their confirmation is renewed. */
  readonly #unconfirmed = new Set<PendingBatch>()
  readonly #concurrency: AdaptiveConcurrency
  readonly #breaker: CircuitBreaker
  readonly #admission: Admission
  readonly #aborts = new AbortListeners((pending) => this.#onAbort(pending))
  readonly #requeue = (pending: PendingBatch): boolean => {
    if (this.#isClosed) return false
    this.#enqueue(pending)
    return true
  }
  readonly #onEnd = (pending: PendingBatch) => this.#aborts.remove(pending)
  #isClosed = false
  #round: NodeJS.Immediate | undefined
  #ticker: NodeJS.Timeout | undefined
  /** Last time that a queued request was opened, or that the queue became non-empty. */
  #progressAtMs = 0

  constructor(options: Http2PoolOptions) {
    const { origin, lookup, isAddressAllowed, logger, nowMs = () => performance.now() } = options
    this.#shared = new SharedParts(new URL(origin).host)
    this.#nowMs = nowMs
    this.#timing = { ...DEFAULT_TIMING, ...options.timing }
    const isBusy = options.isBusy ?? (({ status }) => status === 429 || status === 503)
    this.#concurrency = new AdaptiveConcurrency({ isBusy })
    this.#breaker = options.breaker ?? new CircuitBreaker({ nowMs })
    const isFailure = options.isFailure ?? isServerError
    this.#admission = new Admission({ concurrency: this.#concurrency, breaker: this.#breaker, isFailure })
    this.#connections = new ConnectionSet({
      connection: {
        endpoint: { origin, secureContext: makeSecureContext(options), lookup, isAddressAllowed },
        timing: this.#timing,
        maxStreams: options.maxStreamsPerConnection ?? MAX_STREAMS,
        logger,
        nowMs,
      },
      maxConnections: options.maxConnections,
      onReceived: (atMs) => {
        this.#admission.receivedAtMs = atMs
      },
      onStreamsFree: () => this.#scheduleRound(),
      onUnreachable: (error) => this.#failQueued(error),
    })
  }

  send(batch: Http2Batch): Promise<void> {
    if (batch.count === 0) return Promise.resolve()
    const pending = this.#makePending(batch)
    const refusal = this.#refusalOf(batch, pending)
    if (refusal) {
      pending.failQueued(refusal)
      return pending.completed
    }
    this.#aborts.add(pending)
    this.#enqueue(pending)
    return pending.completed
  }

  request(request: Http2Request): Promise<Http2Response> {
    return requestOnce(this, request)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const error = new Http2Error('unsent', 'closed')
    this.#failQueued(error)
    for (const pending of this.#unconfirmed) pending.failQueued(error)
    this.#unconfirmed.clear()
    await this.#connections.close()
    this.#stopTicker()
  }

  #makePending(batch: Http2Batch): PendingBatch {
    const wanted = this.#shared.wantedBy(batch)
    const [admission, startedAtMs] = [this.#admission, this.#nowMs()]
    return new PendingBatch({ batch, wanted, admission, startedAtMs, requeue: this.#requeue, onEnd: this.#onEnd })
  }

  /** The reason why a batch can't be queued. */
  #refusalOf(batch: Http2Batch, pending: PendingBatch): Http2Error | undefined {
    if (batch.signal.aborted) return new Http2Error('aborted', 'aborted')
    if (this.#isClosed) return new Http2Error('unsent', 'closed')
    try {
      pending.sharedFields = this.#shared.fieldsOf(batch)
    } catch {
      return new Http2Error('unsent', 'request_invalid')
    }
    return this.#breaker.admit() ? undefined : new Http2Error('unsent', 'origin_down')
  }

  #enqueue(pending: PendingBatch): void {
    const wasIdle = this.#queue.isEmpty && this.#connections.isIdle
    if (this.#queue.isEmpty) this.#progressAtMs = this.#nowMs()
    this.#queue.add(pending)
    this.#ticker ??= setInterval(() => this.#tick(), chooseTickMs(this.#timing))
    // Received frames of idle connections (GOAWAY, end) are read first. A request on a connection that the server has
    // closed would fail as ambiguous.
    if (wasIdle && this.#round === undefined) this.#round = setImmediate(() => this.#rescheduleRound())
    else this.#scheduleRound()
  }

  #onAbort(pending: PendingBatch): void {
    this.#queue.remove(pending)
    this.#unconfirmed.delete(pending)
    pending.failQueued(new Http2Error('aborted', 'aborted'))
    this.#connections.abort(pending)
    this.#scheduleRound()
  }

  /** Runs a round after the other events of this turn of the event loop, so that one write carries their requests. */
  #scheduleRound(): void {
    this.#round ??= setImmediate(() => {
      this.#round = undefined
      this.#runRound()
    })
  }

  #rescheduleRound(): void {
    this.#round = undefined
    this.#scheduleRound()
  }

  #runRound(): void {
    const nowMs = this.#nowMs()
    if (!this.#queue.isEmpty && !this.#breaker.admit()) this.#failQueued(new Http2Error('unsent', 'origin_down'))
    this.#connections.rateUseful()
    for (const connection of this.#connections.all) {
      this.#fill(connection, nowMs)
      connection.flush()
    }
    if (this.#isClosed || this.#queue.isEmpty) return
    const requests = Math.min(this.#queue.countRequests(), this.#admission.freeSlots)
    this.#connections.openFor(requests, nowMs)
  }

  #fill(connection: Http2Connection, nowMs: number): void {
    while (connection.freeStreams > 0 && !this.#admission.isFull) {
      const pending = this.#queue.next()
      if (!pending) return
      this.#progressAtMs = nowMs
      if (!pending.isConfirmed(nowMs)) {
        this.#renew(pending)
        continue
      }
      const index = pending.take()
      if (index === undefined) continue
      this.#admission.onOpened()
      connection.open(pending, index, nowMs)
    }
  }

  #renew(pending: PendingBatch): void {
    this.#queue.remove(pending)
    this.#unconfirmed.add(pending)
    void pending.batch.confirmation?.renewed().then(() => {
      if (!this.#unconfirmed.delete(pending)) return
      // A batch that was cancelled is not confirmed again.
      pending.dropWithdrawn()
      if (pending.queued > 0) this.#enqueue(pending)
    })
  }

  #failQueued(error: Http2Error): void {
    const queued = this.#queue.clear()
    // First, because the callbacks of the requests ask for the state of the breaker.
    if (queued[0]) this.#admission.onUnreachable(error, queued[0].startedAtMs)
    for (const pending of queued) pending.failQueued(error)
  }

  /**
   * Fails requests that are queued longer than `waitTimeoutMs`: all of them when no stream became free, and those of
   * old batches when the concurrency is limited.
   */
  #failOverdue(nowMs: number): void {
    const latestMs = nowMs - this.#timing.waitTimeoutMs
    const error = new Http2Error('unsent', 'no_stream_free')
    if (!this.#queue.isEmpty && this.#progressAtMs <= latestMs) this.#failQueued(error)
    else if (this.#concurrency.isLimited)
      for (const pending of this.#queue.takeStartedBefore(latestMs)) pending.failQueued(error)
  }

  #tick(): void {
    const nowMs = this.#nowMs()
    this.#connections.tick(nowMs)
    this.#failOverdue(nowMs)
    if (this.#connections.all.size === 0 && this.#queue.isEmpty) this.#stopTicker()
    else this.#scheduleRound()
  }

  #stopTicker(): void {
    clearInterval(this.#ticker)
    this.#ticker = undefined
  }
}

/** Without Retry-After, with which a server that works asks for a lower rate. */
function isServerError(answer: Http2Answer): boolean {
  const isError = answer.status >= 500 || (answer.status >= 300 && answer.status < 400)
  return isError && answer.header('retry-after') === undefined
}
