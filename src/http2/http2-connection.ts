// One connection of a pool:
//
//   connecting ──(TLS, ALPN, SETTINGS)──▶ open ◀──▶ suspect     (a PING is out and not answered: nothing new is sent)
//   connecting, open, suspect ──(GOAWAY | close())──▶ draining ──(its streams are done)──▶ closed
//   any ──(connect time-out, error, PING unanswered, socket gone)──▶ closed
//
// The session's events move it; the pool only reads `free` and calls `send` and `close`. Whatever happens, `onClosed`
// comes exactly once, and every request that `send` took settles.
import { type ClientHttp2Session, connect, constants, type Settings } from 'node:http2'
import { isIP } from 'node:net'
import { connect as connectSocket, type TLSSocket } from 'node:tls'
import type { Logger } from '../observability/log.ts'
import { Http2Error } from './http2-error.ts'
import { exchange, type Http2Request, type Http2Response } from './http2-exchange.ts'

/** RFC 9113 section 6.5.2 recommends servers to allow no fewer: what a connection that is being opened will carry. */
export const STREAMS_UNTIL_KNOWN = 100
/** A server that names no limit means "no limit"; memory has one. */
const MAX_STREAMS = 1000
/** Without traffic for this long the connection is probed: NATs forget connections and tell nobody. */
const IDLE_PING_MS = 30_000
/** An answer to a PING later than this means the peer is gone. */
const PING_TIMEOUT_MS = 5_000
/** After the last stream, how long the peer may take to close its side. */
const CLOSE_GRACE_MS = 1_000

/** What `session.request` throws when the session takes no new streams. */
const SESSION_GONE = new Set<unknown>([
  'ERR_HTTP2_INVALID_SESSION',
  'ERR_HTTP2_GOAWAY_SESSION',
  'ERR_HTTP2_OUT_OF_STREAMS',
])

/** How to reach the server, and how long it may take. */
export interface ConnectionOptions {
  origin: string
  ca: string[] | undefined
  connectTimeoutMs: number
  requestTimeoutMs: number
  logger: Logger
}

/** What the pool wants to know. `onFree`: `free` may have grown. `onClosed`: it is gone; `unused` if it never opened. */
export interface ConnectionEvents {
  onFree(): void
  onClosed(connection: Http2Connection, unused: Http2Error | undefined): void
}

export class Http2Connection {
  readonly #options: ConnectionOptions
  readonly #events: ConnectionEvents
  readonly #socket: TLSSocket
  readonly #session: ClientHttp2Session
  readonly #connectTimer: NodeJS.Timeout
  readonly #closed: Promise<void>
  #resolveClosed: () => void = () => undefined
  #closeTimer: NodeJS.Timeout | undefined
  #state: 'connecting' | 'open' | 'suspect' | 'draining' | 'closed' = 'connecting'
  #connectFailure = new Http2Error('unsent', 'connect_failed')
  #wasOpen = false
  #maxStreams = STREAMS_UNTIL_KNOWN
  #openStreams = 0
  #goawayLastStreamId: number | undefined

  constructor(deps: { options: ConnectionOptions; events: ConnectionEvents }) {
    this.#options = deps.options
    this.#events = deps.events
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.#connectTimer = setTimeout(() => this.#onConnectTimeout(), deps.options.connectTimeoutMs)
    this.#socket = connectTls(deps.options)
    this.#session = this.#connect()
  }

  get isConnecting(): boolean {
    return this.#state === 'connecting'
  }

  /** Carries requests, or will as soon as it is connected or has answered a PING. */
  get isUsable(): boolean {
    return this.#state !== 'draining' && this.#state !== 'closed'
  }

  /** How many streams may be opened now. */
  get free(): number {
    return this.#state === 'open' ? Math.max(0, this.#maxStreams - this.#openStreams) : 0
  }

  /** Sends on a stream of its own; call it only while `free` is above 0. @throws Http2Error */
  async send(request: Http2Request): Promise<Http2Response> {
    this.#openStreams++
    try {
      const owner = { session: this.#session, goawayLastStreamId: () => this.#goawayLastStreamId }
      return await exchange(owner, request, this.#options.requestTimeoutMs)
    } catch (error) {
      throw this.#onRequestFailed(error)
    } finally {
      this.#openStreams--
      if (this.#state === 'draining' && this.#openStreams === 0) this.#closeSession()
      this.#events.onFree()
    }
  }

  /** Takes no more requests, lets those in flight finish and closes. Resolves when the connection is gone. */
  close(): Promise<void> {
    if (this.#state === 'connecting') this.#destroy()
    else this.#drain()
    return this.#closed
  }

  #connect(): ClientHttp2Session {
    const session = connect(this.#options.origin, {
      createConnection: () => this.#socket,
      // RFC 9113 section 8.4: without this the server may push streams that nobody reads.
      settings: { enablePush: false },
    })
    session.setTimeout(IDLE_PING_MS)
    session.once('connect', () => this.#onConnect())
    session.on('remoteSettings', (settings) => this.#onRemoteSettings(settings))
    session.on('goaway', (code, lastStreamId) => this.#onGoaway(code, lastStreamId))
    session.on('frameError', () => this.#onFrameError())
    session.on('timeout', () => this.#probe())
    session.on('error', (error) => this.#onError(error))
    session.once('close', () => this.#onClose())
    return session
  }

  #onConnect(): void {
    // RFC 9113 section 3.2: a server that did not choose h2 would read our frames as garbage HTTP/1.
    if (this.#session.alpnProtocol !== 'h2') this.#destroy()
  }

  #onConnectTimeout(): void {
    // A host that swallows packets would otherwise hold everybody who waits for minutes.
    this.#connectFailure = new Http2Error('unsent', 'connect_timeout')
    this.#destroy()
  }

  /**
   * RFC 9113 sections 3.4 and 6.5.2. The first SETTINGS is the server's greeting; sending before it would guess the limit,
   * and a server that allows one stream (APNs, before it has seen a valid token) would refuse the rest. It may change at
   * any time: exceeding it costs the whole connection.
   */
  #onRemoteSettings(settings: Settings): void {
    this.#maxStreams = Math.min(settings.maxConcurrentStreams ?? MAX_STREAMS, MAX_STREAMS)
    if (this.#state === 'connecting') {
      clearTimeout(this.#connectTimer)
      this.#wasOpen = true
      this.#state = 'open'
    }
    this.#events.onFree()
  }

  /**
   * RFC 9113 section 6.8: no new streams here; those up to `lastStreamId` may still be answered. Node lets them finish
   * after NO_ERROR and cuts them off after any other code, which the exchanges then see.
   */
  #onGoaway(code: number, lastStreamId: number): void {
    // A server that shuts down in two steps sends 2^31-1 first and the true last id later: the lower one holds.
    this.#goawayLastStreamId = Math.min(this.#goawayLastStreamId ?? lastStreamId, lastStreamId)
    if (code !== constants.NGHTTP2_NO_ERROR) this.#options.logger.warn({ code }, 'http2: the server sent GOAWAY')
    this.#drain()
  }

  /** A frame of ours could not be sent: the connection's state is unknown, so it gets no more requests. */
  #onFrameError(): void {
    this.#drain()
  }

  #onError(error: Error): void {
    // RFC 9113 section 5.4.1: after a connection error nothing more comes. 'close' follows and settles everything.
    const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
    this.#options.logger.warn({ origin: this.#options.origin, code }, 'http2: connection failed')
  }

  #onClose(): void {
    clearTimeout(this.#connectTimer)
    clearTimeout(this.#closeTimer)
    this.#state = 'closed'
    this.#resolveClosed()
    this.#events.onClosed(this, this.#wasOpen ? undefined : this.#connectFailure)
  }

  /**
   * RFC 9113 section 6.7: PING tells a slow answer from a dead connection. TCP alone would take many minutes to find
   * out, and every request until then would end as "may have been delivered".
   */
  #probe(): void {
    if (this.#state !== 'open' || this.#session.destroyed) return
    this.#state = 'suspect'
    const timer = setTimeout(() => this.#destroy(), PING_TIMEOUT_MS)
    this.#session.ping((error) => {
      clearTimeout(timer)
      if (error || this.#state !== 'suspect') return
      this.#state = 'open'
      this.#events.onFree()
    })
  }

  #onRequestFailed(error: unknown): Http2Error {
    if (error instanceof Http2Error) {
      if (error.code === 'timeout') this.#probe()
      return error
    }
    // `session.request` throws at once on a session that is gone, going, or out of stream ids (RFC 9113 section 5.1.1).
    // Any other throw is about the request itself and would repeat on every connection.
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (!SESSION_GONE.has(code)) return new Http2Error('unsent', 'request_invalid')
    this.#drain()
    return new Http2Error('unsent', 'goaway')
  }

  #drain(): void {
    if (this.#state === 'closed') return
    this.#state = 'draining'
    if (this.#openStreams === 0) this.#closeSession()
  }

  #closeSession(): void {
    // A peer that never closes its side must not hold a shutdown.
    this.#closeTimer ??= setTimeout(() => this.#destroy(), CLOSE_GRACE_MS)
    this.#session.close()
  }

  /** A session that was asked to close waits for its peer even when it is destroyed: the socket goes with it. */
  #destroy(): void {
    this.#session.destroy()
    this.#socket.destroy()
  }
}

/** RFC 9113 section 9.2: TLS 1.2 at least, h2 by ALPN, the server's name in SNI unless it is an IP address. */
function connectTls({ origin, ca }: ConnectionOptions): TLSSocket {
  const { hostname, port } = new URL(origin)
  const host = hostname.replace(/^\[|\]$/g, '')
  return connectSocket({
    host,
    port: Number(port || 443),
    servername: isIP(host) ? '' : host,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['h2'],
    ...(ca && { ca }),
  })
}
