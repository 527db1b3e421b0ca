// Requests over a few connections to one server. A request takes a free stream, or waits in line for one; connections
// are opened while more wait than the ones being opened will carry. No connection gets more streams than it allows.
import { setMaxListeners } from 'node:events'
import type { Logger } from '../observability/log.ts'
import { type ConnectionOptions, Http2Connection, STREAMS_UNTIL_KNOWN } from './http2-connection.ts'
import { Http2Error } from './http2-error.ts'
import type { Http2Request, Http2Response } from './http2-exchange.ts'
import { trustedAuthorities } from './trusted-authorities.ts'

/** How often a request that a server refused or left behind with a GOAWAY is sent again before the caller hears of it. */
const MAX_RESENDS = 2
/** A server whose streams stay all taken, or that allows none, must not hold a caller for good. */
const WAIT_TIMEOUT_MS = 60_000
const CONNECT_TIMEOUT_MS = 10_000

export interface Http2PoolOptions {
  /** `https://host[:port]`. */
  origin: string
  /** An authority (PEM) to trust besides the built-in ones. */
  ca?: string | undefined
  maxConnections: number
  /** From the stream's opening to the end of the answer. Waiting for a stream does not count. */
  requestTimeoutMs: number
  logger: Logger
}

interface Waiter {
  take(connection: Http2Connection): void
  fail(error: Http2Error): void
}

export class Http2Pool {
  readonly #options: ConnectionOptions
  readonly #maxConnections: number
  readonly #connections = new Set<Http2Connection>()
  /** In order of arrival: a Set keeps it and forgets in O(1) whoever gives up. */
  readonly #waiters = new Set<Waiter>()
  #isClosed = false
  #isServing = false

  constructor(deps: Http2PoolOptions) {
    const { origin, ca, maxConnections, requestTimeoutMs, logger } = deps
    this.#maxConnections = maxConnections
    this.#options = {
      origin,
      ca: trustedAuthorities(ca),
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      requestTimeoutMs,
      logger,
    }
  }

  /**
   * POSTs and resolves to the complete answer, whatever its status. What the server certainly did not act on is sent
   * again, on another connection where there is one; the answer is still at most one. @throws Http2Error
   */
  async request(request: Http2Request): Promise<Http2Response> {
    // One signal stops thousands of requests: Node would warn of a leak at the eleventh.
    setMaxListeners(0, request.signal)
    for (let resends = 0; ; resends++) {
      try {
        return await this.#dispatch(request)
      } catch (error) {
        const left = error instanceof Http2Error && (error.code === 'goaway' || error.code === 'refused_stream')
        if (!left || error.kind !== 'unsent' || resends === MAX_RESENDS) throw error
      }
    }
  }

  /** Lets requests in flight finish, then closes the connections; who waits for a stream fails with `closed`. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#failWaiters(new Http2Error('unsent', 'closed'))
    await Promise.all([...this.#connections].map((connection) => connection.close()))
  }

  #dispatch(request: Http2Request): Promise<Http2Response> {
    if (request.signal.aborted) return Promise.reject(new Http2Error('aborted', 'aborted'))
    if (this.#isClosed) return Promise.reject(new Http2Error('unsent', 'closed'))
    // Nobody overtakes those who wait.
    const free = this.#waiters.size === 0 ? this.#findFree() : undefined
    return free ? free.send(request) : this.#wait(request)
  }

  /** The connection with the most room, so that load spreads and one lost connection hits few requests. */
  #findFree(): Http2Connection | undefined {
    let best: Http2Connection | undefined
    for (const connection of this.#connections) {
      if (connection.free > (best?.free ?? 0)) best = connection
    }
    return best
  }

  #wait(request: Http2Request): Promise<Http2Response> {
    const { signal } = request
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        this.#waiters.delete(waiter)
      }
      const waiter: Waiter = {
        // The stream opens before this returns: whoever asks for `free` next sees it taken.
        take: (connection) => {
          leave()
          resolve(connection.send(request))
        },
        fail: (error) => {
          leave()
          reject(error)
        },
      }
      const onAbort = () => waiter.fail(new Http2Error('aborted', 'aborted'))
      const timer = setTimeout(() => waiter.fail(new Http2Error('unsent', 'no_stream_free')), WAIT_TIMEOUT_MS)
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiters.add(waiter)
      this.#openConnections()
    })
  }

  /** Opens connections while more wait than those being opened will carry. */
  #openConnections(): void {
    const usable = [...this.#connections].filter((connection) => connection.isUsable)
    let connecting = usable.filter((connection) => connection.isConnecting).length
    let room = this.#maxConnections - usable.length
    for (; room > 0 && this.#waiters.size > connecting * STREAMS_UNTIL_KNOWN; room--, connecting++) {
      const events = {
        onFree: () => this.#serveWaiters(),
        onClosed: (connection: Http2Connection, failure: Http2Error | undefined) => this.#onClosed(connection, failure),
      }
      this.#connections.add(new Http2Connection({ options: this.#options, events }))
    }
  }

  #serveWaiters(): void {
    // A request that fails while it is being sent frees its stream and comes back here: one loop is enough.
    if (this.#isServing) return
    this.#isServing = true
    for (const waiter of this.#waiters) {
      const free = this.#findFree()
      if (!free) break
      waiter.take(free)
    }
    this.#isServing = false
  }

  #onClosed(connection: Http2Connection, connectFailure: Http2Error | undefined): void {
    this.#connections.delete(connection)
    if (this.#isClosed || this.#waiters.size === 0) return
    if (!connectFailure) this.#openConnections()
    // Connecting again at once would spin. While another connection is usable, the line moves without this one.
    else if (![...this.#connections].some((other) => other.isUsable)) this.#failWaiters(connectFailure)
  }

  #failWaiters(error: Http2Error): void {
    for (const waiter of this.#waiters) waiter.fail(error)
  }
}
