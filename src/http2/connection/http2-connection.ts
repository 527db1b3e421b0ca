// One connection of a pool:
//
//   connecting ──(TLS, ALPN, SETTINGS)──▶ open ◀──(PING | its answer)──▶ pinged    (no new requests while pinged)
//   open, pinged ──(GOAWAY | no ids left | idle | close())──▶ draining ──(last stream closed)──▶ closed
//   any ──(connect time-out | error | protocol violation | PING unanswered | socket closed)──▶ closed
//
// `onClosed` is called exactly once, after every opened request was answered or failed.
import type { TLSSocket } from 'node:tls'
import type { Logger } from '../../observability/log.ts'
import { recycleChunk } from '../frames/byte-writer.ts'
import { ERROR } from '../frames/frame-constants.ts'
import { type Http2Error, type Http2ErrorCode, makeConnectionError } from '../http2-error.ts'
import type { Http2Timing } from '../http2-timing.ts'
import { Http2Session } from '../session/http2-session.ts'
import type { RequestSource } from '../session/request-source.ts'
import { connectTls, type TlsEndpoint } from './connect-tls.ts'
import { ConnectionDeadlines } from './connection-deadlines.ts'

/** Written bytes at which `open` flushes. */
const FLUSH_BYTES = 56 * 1024
/** Unsent bytes of the socket at which no more requests are opened: in the queue they can still be withdrawn. */
const MAX_UNSENT_BYTES = 256 * 1024
/** Unsent bytes of the socket at which the peer is assumed to send without reading. */
const MAX_BACKLOG_BYTES = 4 * 1024 * 1024

/** Parameters of a connection. */
export interface ConnectionDeps {
  endpoint: TlsEndpoint
  timing: Http2Timing
  /** Limit of open streams in addition to the peer's. */
  maxStreams: number
  logger: Logger
  /** A monotonic clock, in ms. */
  nowMs: () => number
  events: ConnectionEvents
}

/** Events of a connection. */
export interface ConnectionEvents {
  /** Bytes were received. Called before they are read, with the time of the connection's clock in ms. */
  onReceived(atMs: number): void
  /** `freeStreams` may have grown. */
  onStreamsFree(): void
  /** GOAWAY was received. Called before the requests that it left unprocessed fail. */
  onGoaway(connection: Http2Connection): void
  /** The connection is closed. `error` is given when it was never open. */
  onClosed(connection: Http2Connection, error: Http2Error | undefined): void
}

/** A TLS connection with an HTTP/2 session. It connects when it is created. */
export class Http2Connection {
  readonly #deps: ConnectionDeps
  readonly #socket: TLSSocket
  readonly #session: Http2Session
  readonly #deadlines: ConnectionDeadlines
  #state: 'connecting' | 'open' | 'pinged' | 'draining' | 'closed' = 'connecting'
  /** The failure of queued requests if the connection is closed before it is open. */
  #failure = makeConnectionError('connect_failed')
  #wasOpen = false
  /** GOAWAY is written and the socket ended: received bytes are ignored. */
  #isEnded = false

  constructor(deps: ConnectionDeps) {
    this.#deps = deps
    this.#deadlines = new ConnectionDeadlines({ timing: deps.timing, nowMs: deps.nowMs() })
    this.#session = new Http2Session({
      events: {
        onPeerSettings: () => this.#onPeerSettings(),
        onPingAck: () => this.#onPingAck(),
        onGoaway: (code) => this.#onGoaway(code),
      },
      maxStreams: deps.maxStreams,
      requestTimeoutMs: deps.timing.requestTimeoutMs,
      nowMs: deps.nowMs,
    })
    // Before any answer to received frames can be written.
    this.#session.writePreface()
    this.#socket = connectTls(deps.endpoint, {
      onSecure: () => this.#socket.write(this.#session.out.take()),
      onChunk: (chunk) => this.#onChunk(chunk),
      onDrain: () => deps.events.onStreamsFree(),
      onEnd: () => this.#onEnd(),
      onError: (code) => this.#onError(code),
      onClose: () => this.#onClose(),
    })
  }

  /** SETTINGS have not arrived yet. */
  get isConnecting(): boolean {
    return this.#state === 'connecting'
  }

  /** The connection accepts requests, or will after SETTINGS or the answer to a PING. */
  get isUsable(): boolean {
    return this.#state !== 'draining' && this.#state !== 'closed'
  }

  /** No stream is open. */
  get isIdle(): boolean {
    return this.#session.openStreams === 0
  }

  /** Number of requests that may be opened now. */
  get freeStreams(): number {
    if (this.#state !== 'open' || this.#socket.writableLength > MAX_UNSENT_BYTES) return 0
    return this.#session.freeStreams
  }

  /** A request was answered, or the connection was open for a while: the server does not reject all connections. */
  get wasUseful(): boolean {
    return this.#session.answered > 0 || (this.#wasOpen && this.#deadlines.isOld(this.#deps.nowMs()))
  }

  /** Writes a request. Call it only while `freeStreams` > 0, and `flush` after the last request. */
  open(source: RequestSource, index: number, nowMs: number): void {
    this.#deadlines.usedAtMs = nowMs
    this.#session.open(source, index, nowMs)
    if (this.#session.out.length >= FLUSH_BYTES) this.flush()
    if (this.#session.isOutOfIds) this.#drain()
  }

  /** Sends the written bytes. */
  flush(): void {
    if (this.#session.out.length === 0 || this.#state === 'closed' || this.#state === 'connecting') return
    const bytes = this.#session.takeOutput()
    if (bytes.length > 0) this.#socket.write(bytes, (error) => (error ? undefined : recycleChunk(bytes)))
  }

  /** Fails the open requests of a batch with `aborted`. */
  abort(source: RequestSource): void {
    this.#session.abort(source)
    this.flush()
    this.#endIfDrained()
  }

  /** Applies all time-outs. Call it several times within the shortest of them. */
  tick(nowMs: number): void {
    if (this.#session.failOverdue(nowMs) > 0) {
      // PING distinguishes a slow answer from a lost connection (RFC 9113 section 6.7). TCP alone would take minutes.
      this.#ping(nowMs)
      this.#endIfDrained()
    } else if (this.#deadlines.isSilent(nowMs)) this.#ping(nowMs)
    this.flush()
    // TCP alone would hold the queued requests for minutes when a host discards packets.
    if (this.#state === 'connecting' && this.#deadlines.isConnectOverdue(nowMs)) this.#destroy('connect_timeout')
    else if (this.#state === 'pinged' && this.#deadlines.isPingOverdue(nowMs)) this.#destroy()
    else if (this.#deadlines.isGraceOver(nowMs)) this.#destroy()
    else if (this.#state === 'open' && this.isIdle && this.#deadlines.isUnused(nowMs)) this.#drain()
  }

  /** Opens no more requests, and closes the connection after the last answer. Resolves when it is closed. */
  close(): Promise<void> {
    if (this.#state === 'connecting') this.#destroy()
    else this.#drain()
    if (this.#state === 'closed') return Promise.resolve()
    return new Promise((resolve) => this.#socket.once('close', () => resolve()))
  }

  #onChunk(chunk: Buffer): void {
    if (this.#isEnded || this.#state === 'closed') return
    // The clock is read once for all answers of the chunk.
    const nowMs = this.#deps.nowMs()
    this.#deadlines.receivedAtMs = nowMs
    this.#deps.events.onReceived(nowMs)
    if (!this.#session.receive(chunk)) this.#onViolation()
    else if (this.#socket.writableLength > MAX_BACKLOG_BYTES) this.#destroy()
    else this.#endIfDrained()
    this.#deps.events.onStreamsFree()
  }

  // Requests wait for the server's SETTINGS: the limit of streams is unknown before. APNs allows one stream until it
  // has seen a valid token, and would refuse the others.
  #onPeerSettings(): void {
    if (this.#state !== 'connecting') return
    this.#wasOpen = true
    this.#state = 'open'
  }

  #onPingAck(): void {
    if (this.#state === 'pinged') this.#state = 'open'
  }

  #onGoaway(code: number): void {
    if (code !== ERROR.noError) {
      this.#deps.logger.warn({ origin: this.#deps.endpoint.origin, code }, 'http2: GOAWAY with an error received')
      // RFC 9113 section 5.4.1: the server is about to close the connection, so late answers never arrive.
      this.#deadlines.limitGrace(this.#deps.nowMs())
    }
    if (this.#state !== 'closed') this.#state = 'draining'
    this.#deps.events.onGoaway(this)
  }

  /** RFC 9113 section 5.4.1: sends the GOAWAY that the session has written, and ignores further bytes of the server. */
  #onViolation(): void {
    this.#isEnded = true
    this.#deps.logger.debug({ origin: this.#deps.endpoint.origin }, 'http2: protocol violated by the server')
    this.#failure = makeConnectionError('protocol_error')
    if (this.#wasOpen) this.#state = 'draining'
    this.#socket.write(this.#session.out.take())
    this.#session.failAll('protocol_error')
    this.#endSocket()
  }

  /** The server has closed its side, so no answer can arrive. The socket's 'close' follows and fails all requests. */
  #onEnd(): void {
    if (this.#state === 'open' || this.#state === 'pinged') this.#state = 'draining'
  }

  #onError(code: string): void {
    this.#onEnd()
    this.#failure = makeConnectionError(code)
    // Not a warning: the circuit breaker reports a server that stays unreachable, once.
    this.#deps.logger.debug({ origin: this.#deps.endpoint.origin, code }, 'http2: connection failed')
  }

  #onClose(): void {
    this.#state = 'closed'
    this.#session.failAll('connection_lost')
    this.#deps.events.onClosed(this, this.#wasOpen ? undefined : this.#failure)
  }

  #ping(nowMs: number): void {
    if (this.#state !== 'open') return
    this.#state = 'pinged'
    this.#deadlines.pingedAtMs = nowMs
    this.#session.ping()
  }

  #drain(): void {
    if (this.#state === 'closed') return
    this.#state = 'draining'
    this.#endIfDrained()
  }

  /** RFC 9113 section 6.8: GOAWAY precedes the end of a connection. */
  #endIfDrained(): void {
    if (this.#state !== 'draining' || this.#session.openStreams > 0 || this.#isEnded) return
    this.#isEnded = true
    this.#session.writeGoaway()
    this.flush()
    this.#endSocket()
  }

  #endSocket(): void {
    this.#socket.end()
    // A peer that never closes its side must not delay a shutdown.
    this.#deadlines.limitGrace(this.#deps.nowMs())
  }

  #destroy(failure?: Http2ErrorCode): void {
    if (failure) this.#failure = makeConnectionError(failure)
    this.#onEnd()
    this.#socket.destroy()
  }
}
