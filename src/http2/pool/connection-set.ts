// The connections of a pool: opens them, closes them, and delays the next one while the server rejects connections.
import { type ConnectionDeps, type ConnectionEvents, Http2Connection } from '../connection/http2-connection.ts'
import type { Http2Error } from '../http2-error.ts'
import type { RequestSource } from '../session/request-source.ts'
import { ReconnectBackoff } from './reconnect-backoff.ts'

/** Every server should allow at least this many streams (RFC 9113 section 6.5.2). Assumed until SETTINGS arrive. */
const STREAMS_BEFORE_SETTINGS = 100

/** Parameters of the connections, and events for the pool. */
export interface ConnectionSetDeps {
  /** Parameters of each connection. */
  connection: Omit<ConnectionDeps, 'events'>
  maxConnections: number
  /** Bytes were received. Called before they are read, with the time of the connections' clock in ms. */
  onReceived(atMs: number): void
  /** `freeStreams` of a connection may have grown, or a connection may be opened now. */
  onStreamsFree(): void
  /** The last usable connection was closed before it was open. */
  onUnreachable(error: Http2Error): void
}

/** Connections to one server, oldest first. */
export class ConnectionSet {
  readonly #deps: ConnectionSetDeps
  readonly #connectionDeps: ConnectionDeps
  readonly #all = new Set<Http2Connection>()
  /** Connections that have not yet counted as useful or useless for the backoff. */
  readonly #unrated = new Set<Http2Connection>()
  readonly #backoff: ReconnectBackoff
  #reconnectTimer: NodeJS.Timeout | undefined

  constructor(deps: ConnectionSetDeps) {
    this.#deps = deps
    this.#backoff = new ReconnectBackoff({ timing: deps.connection.timing })
    const events: ConnectionEvents = {
      onReceived: (atMs) => deps.onReceived(atMs),
      onStreamsFree: () => deps.onStreamsFree(),
      // Before the requests that GOAWAY leaves unprocessed look for another connection.
      onGoaway: (connection) => this.#rate(connection),
      onClosed: (connection, error) => this.#onClosed(connection, error),
    }
    this.#connectionDeps = { ...deps.connection, events }
  }

  /** All connections, oldest first. Read it again after each change. */
  get all(): ReadonlySet<Http2Connection> {
    return this.#all
  }

  /** No connection has an open stream. */
  get isIdle(): boolean {
    return [...this.#all].every((connection) => connection.isIdle)
  }

  /** Resets the backoff when a connection has proved useful. Call it before `openFor`. */
  rateUseful(): void {
    for (const connection of this.#unrated) {
      if (!connection.wasUseful) continue
      this.#unrated.delete(connection)
      this.#backoff.onUseful()
    }
  }

  /** Opens connections while more requests are queued than the connecting ones will accept. */
  openFor(requests: number, nowMs: number): void {
    const delayMs = this.#backoff.remainingMs(nowMs)
    if (delayMs > 0) {
      this.#reconnectTimer ??= setTimeout(() => this.#onReconnectTime(), delayMs)
      return
    }
    const usable = [...this.#all].filter((connection) => connection.isUsable)
    let connecting = usable.filter((connection) => connection.isConnecting).length
    let allowed = this.#deps.maxConnections - usable.length
    if (this.#backoff.isFailing) allowed = Math.min(allowed, 1 - connecting)
    for (; allowed > 0 && requests > connecting * STREAMS_BEFORE_SETTINGS; allowed--, connecting++) this.#open()
  }

  /** Fails the open requests of a batch with `aborted`. */
  abort(source: RequestSource): void {
    for (const connection of this.#all) connection.abort(source)
  }

  /** Applies the time-outs of all connections. */
  tick(nowMs: number): void {
    for (const connection of this.#all) connection.tick(nowMs)
  }

  /**
   * Opens no more streams, and closes each connection when its open streams have ended. Resolves when all are closed.
   */
  async close(): Promise<void> {
    clearTimeout(this.#reconnectTimer)
    await Promise.all([...this.#all].map((connection) => connection.close()))
  }

  #open(): void {
    const connection = new Http2Connection(this.#connectionDeps)
    this.#all.add(connection)
    this.#unrated.add(connection)
  }

  #onReconnectTime(): void {
    this.#reconnectTimer = undefined
    this.#deps.onStreamsFree()
  }

  #onClosed(connection: Http2Connection, error: Http2Error | undefined): void {
    this.#all.delete(connection)
    this.#rate(connection)
    // The queue still moves while another connection is usable.
    if (error && ![...this.#all].some((other) => other.isUsable)) this.#deps.onUnreachable(error)
    this.#deps.onStreamsFree()
  }

  /** Counts a connection that accepts no more requests. The backoff decides when the next one may be opened. */
  #rate(connection: Http2Connection): void {
    if (!this.#unrated.delete(connection)) return
    if (connection.wasUseful) this.#backoff.onUseful()
    else this.#backoff.onUseless(this.#connectionDeps.nowMs())
  }
}
