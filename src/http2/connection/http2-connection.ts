// One connection of a pool:
//
//   connecting ──(TLS, ALPN, SETTINGS)──▶ open ◀──▶ suspect     (a PING is out and not answered: nothing new is sent)
//   connecting, open, suspect ──(GOAWAY | out of ids | idle | close())──▶ draining ──(its streams are done)──▶ closed
//   any ──(connect time-out, error, protocol broken, PING unanswered, socket gone)──▶ closed
//
// The socket's events and `tick` move it; the pool reads `room` and calls `open`, `flush`, `tick`, `cancel` and `close`.
// Whatever happens, `onClosed` comes exactly once, and every request that `open` took is settled.
import type { TLSSocket } from 'node:tls'
import type { Logger } from '../../observability/log.ts'
import { recycleChunk } from '../frames/byte-writer.ts'
import { ERROR } from '../frames/frame-constants.ts'
import { Http2Error, type Http2ErrorCode } from '../http2-error.ts'
import type { Http2Timing } from '../http2-timing.ts'
import { Http2Session } from '../session/http2-session.ts'
import type { RequestRun } from '../session/request-source.ts'
import { connectTls, type TlsTarget } from './connect-tls.ts'

/** Bytes at which what was written goes to the socket. */
const FLUSH_BYTES = 56 * 1024
/** With this much waiting in the socket, more requests would only wait there and not where they can be taken back. */
const MAX_UNSENT_BYTES = 256 * 1024
/** Beyond this the peer makes us write and does not read. */
const MAX_BACKLOG_BYTES = 4 * 1024 * 1024
/** A connection that closes younger than this without an answer was of no use: opening the next one is put off. */
const MIN_USEFUL_MS = 5_000
/** After the last stream, or after a GOAWAY with an error, how long the peer may take to close its side. */
const CLOSE_GRACE_MS = 1_000

export interface ConnectionDeps {
  target: TlsTarget
  timing: Http2Timing
  maxStreams: number
  logger: Logger
  nowMs: () => number
  events: ConnectionEvents
}

/** What the pool wants to know. */
export interface ConnectionEvents {
  /** `room` may have grown. */
  onRoom(): void
  /** The server sent it away: it takes no more requests. */
  onGoaway(connection: Http2Connection): void
  /** It is gone; with an error if it never opened. */
  onClosed(connection: Http2Connection, unopened: Http2Error | undefined): void
}

export class Http2Connection {
  readonly #deps: ConnectionDeps
  readonly #socket: TLSSocket
  readonly #session: Http2Session
  readonly #openedAtMs: number
  readonly #closed: Promise<void>
  #resolveClosed: () => void = () => undefined
  #state: 'connecting' | 'open' | 'suspect' | 'draining' | 'closed' = 'connecting'
  #failure: Http2ErrorCode = 'connect_failed'
  #wasOpen = false
  #isBroken = false
  #receivedAtMs: number
  #usedAtMs: number
  #pingedAtMs = 0
  #destroyAtMs = Number.POSITIVE_INFINITY

  constructor(deps: ConnectionDeps) {
    this.#deps = deps
    this.#openedAtMs = deps.nowMs()
    this.#receivedAtMs = this.#openedAtMs
    this.#usedAtMs = this.#openedAtMs
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.#session = new Http2Session({
      events: {
        onPeerSettings: () => this.#onPeerSettings(),
        onPingAck: () => this.#onPingAck(),
        onGoaway: (code) => this.#onGoaway(code),
      },
      maxStreams: deps.maxStreams,
      requestTimeoutMs: deps.timing.requestTimeoutMs,
    })
    // First of all that is written, whatever the server says meanwhile.
    this.#session.greet()
    this.#socket = connectTls(deps.target, (chunk) => this.#onChunk(chunk))
    this.#socket.once('secureConnect', () => this.#onSecure())
    this.#socket.on('drain', () => deps.events.onRoom())
    this.#socket.once('end', () => this.#onEnd())
    this.#socket.on('error', (error) => this.#onError(error))
    this.#socket.once('close', () => this.#onClose())
  }

  get isConnecting(): boolean {
    return this.#state === 'connecting'
  }

  /** Carries requests, or will as soon as it is connected or has answered a PING. */
  get isUsable(): boolean {
    return this.#state !== 'draining' && this.#state !== 'closed'
  }

  /** No request is on its way. */
  get isIdle(): boolean {
    return this.#session.openStreams === 0
  }

  /** How many requests may be opened at once. */
  get room(): number {
    if (this.#state !== 'open' || this.#socket.writableLength > MAX_UNSENT_BYTES) return 0
    return this.#session.room
  }

  /** It answered something, or was there for a while: the server is not one that turns everybody away. */
  get wasUseful(): boolean {
    const isOld = this.#wasOpen && this.#deps.nowMs() - this.#openedAtMs >= MIN_USEFUL_MS
    return this.#session.answered > 0 || isOld
  }

  /** Writes a request; only while there is `room`. It goes out with `flush` at the latest. */
  open(run: RequestRun, index: number, nowMs: number): void {
    this.#usedAtMs = nowMs
    this.#session.open(run, index, nowMs)
    if (this.#session.out.length >= FLUSH_BYTES) this.flush()
    if (this.#session.isOutOfIds) this.#drain()
  }

  /** Sends what was written. */
  flush(): void {
    const { out } = this.#session
    if (out.length === 0 || this.#state === 'closed' || this.#state === 'connecting') return
    const bytes = out.take()
    this.#socket.write(bytes, (error) => {
      if (!error) recycleChunk(bytes)
    })
  }

  /** Gives up the requests of a batch. */
  cancel(run: RequestRun): void {
    this.#session.cancel(run)
    this.flush()
    this.#onStreamsClosed()
  }

  /** Everything that time brings. Call it several times in the shortest of the time-outs. */
  tick(nowMs: number): void {
    const { timing } = this.#deps
    const isSilent = nowMs - this.#receivedAtMs >= timing.idlePingMs
    if (this.#session.expire(nowMs) > 0) {
      // RFC 9113 section 6.7: PING tells a slow answer from a dead connection. TCP alone would take many minutes.
      this.#probe(nowMs)
      this.#onStreamsClosed()
    } else if (isSilent) this.#probe(nowMs)
    this.flush()
    if (this.#state === 'connecting' && nowMs - this.#openedAtMs >= timing.connectTimeoutMs) {
      // A host that swallows packets would otherwise hold everybody who waits for minutes.
      this.#failure = 'connect_timeout'
      this.#destroy()
    } else if (this.#state === 'suspect' && nowMs - this.#pingedAtMs >= timing.pingTimeoutMs) this.#destroy()
    else if (nowMs >= this.#destroyAtMs) this.#destroy()
    else if (this.#isIdle(nowMs)) this.#drain()
  }

  /** Takes no more requests, lets those in flight finish and closes. Resolves when the connection is gone. */
  close(): Promise<void> {
    if (this.#state === 'connecting') this.#destroy()
    else this.#drain()
    return this.#closed
  }

  #isIdle(nowMs: number): boolean {
    const isUnused = this.#state === 'open' && this.#session.openStreams === 0
    return isUnused && nowMs - this.#usedAtMs >= this.#deps.timing.idleCloseMs
  }

  #onSecure(): void {
    // RFC 9113 section 3.2: a server that did not choose h2 would read our frames as garbage HTTP/1.
    if (this.#socket.alpnProtocol !== 'h2') {
      this.#destroy()
      return
    }
    this.#socket.write(this.#session.out.take())
  }

  #onChunk(chunk: Buffer): void {
    if (this.#isBroken || this.#state === 'closed') return
    this.#receivedAtMs = this.#deps.nowMs()
    if (!this.#session.receive(chunk)) this.#onViolation()
    else if (this.#socket.writableLength > MAX_BACKLOG_BYTES) this.#destroy()
    else this.#onStreamsClosed()
    this.#deps.events.onRoom()
  }

  /**
   * RFC 9113 section 3.4: the first SETTINGS is the server's greeting. Sending before it would guess the limit, and a
   * server that allows one stream (APNs, before it has seen a valid token) would refuse the rest.
   */
  #onPeerSettings(): void {
    if (this.#state !== 'connecting') return
    this.#wasOpen = true
    this.#state = 'open'
  }

  #onPingAck(): void {
    if (this.#state === 'suspect') this.#state = 'open'
  }

  #onGoaway(code: number): void {
    if (code !== ERROR.noError) {
      this.#deps.logger.warn({ origin: this.#deps.target.origin, code }, 'http2: the server sent GOAWAY')
      // Section 5.4.1: the server is about to close; answers that don't come soon never will.
      this.#destroyAtMs = this.#deps.nowMs() + CLOSE_GRACE_MS
    }
    if (this.#state !== 'closed') this.#state = 'draining'
    this.#deps.events.onGoaway(this)
  }

  /** RFC 9113 section 5.4.1: our GOAWAY is written; what it still sends is not read. */
  #onViolation(): void {
    this.#isBroken = true
    this.#deps.logger.warn({ origin: this.#deps.target.origin }, 'http2: the server broke the protocol')
    this.#failure = 'protocol_error'
    if (this.#wasOpen) this.#state = 'draining'
    this.#socket.write(this.#session.out.take())
    this.#session.failAll('protocol_error')
    this.#endSocket()
  }

  /** The server has closed its side: no answer comes any more. 'close' follows and settles everything. */
  #onEnd(): void {
    if (this.#state === 'open' || this.#state === 'suspect') this.#state = 'draining'
  }

  #onError(error: Error): void {
    this.#onEnd()
    // 'close' follows and settles everything.
    const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
    if (code === 'ERR_ADDRESS_REFUSED') this.#failure = 'address_refused'
    this.#deps.logger.warn({ origin: this.#deps.target.origin, code }, 'http2: connection failed')
  }

  #onClose(): void {
    this.#state = 'closed'
    this.#session.failAll('connection_lost')
    this.#resolveClosed()
    this.#deps.events.onClosed(this, this.#wasOpen ? undefined : new Http2Error('unsent', this.#failure))
  }

  #probe(nowMs: number): void {
    if (this.#state !== 'open') return
    this.#state = 'suspect'
    this.#pingedAtMs = nowMs
    this.#session.ping()
  }

  #drain(): void {
    if (this.#state === 'closed') return
    this.#state = 'draining'
    this.#onStreamsClosed()
  }

  /** RFC 9113 section 6.8: whoever leaves says so. */
  #onStreamsClosed(): void {
    if (this.#state !== 'draining' || this.#session.openStreams > 0 || this.#isBroken) return
    this.#isBroken = true
    this.#session.sayGoodbye()
    this.flush()
    this.#endSocket()
  }

  #endSocket(): void {
    this.#socket.end()
    // A peer that never closes its side must not hold a shutdown.
    this.#destroyAtMs = Math.min(this.#destroyAtMs, this.#deps.nowMs() + CLOSE_GRACE_MS)
  }

  #destroy(): void {
    this.#onEnd()
    this.#socket.destroy()
  }
}
