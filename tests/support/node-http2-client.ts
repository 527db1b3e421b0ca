// A minimal implementation of the HTTP/2 client on Node's http2 module: a session per connection, a promise per
// request. It has no time-outs of connections and no backoff.
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2'
import { isIP } from 'node:net'
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls'
import { AddressRefused, guardLookup, isRefusedLiteral } from '../../src/http2/address-guard.ts'
import { makeSecureContext } from '../../src/http2/connection/connect-tls.ts'
import { ByteWriter } from '../../src/http2/frames/byte-writer.ts'
import type { Http2Answer, Http2Batch, Http2Client, Http2Request, Http2Response } from '../../src/http2/http2-client.ts'
import { Http2Error, type Http2ErrorCode } from '../../src/http2/http2-error.ts'
import type { Http2PoolOptions } from '../../src/http2/http2-pool-options.ts'
import { requestOnce } from '../../src/http2/pool/request-once.ts'

const MAX_BODY_BYTES = 64 * 1024
const MAX_RESENDS = 2
const PING_TIMEOUT_MS = 5_000

interface Connection {
  session: ClientHttp2Session
  state: 'connecting' | 'open' | 'pinged' | 'draining'
  maxStreams: number
  streams: number
  lastStreamId: number
}

interface Waiter {
  take(connection: Connection): void
  fail(error: Http2Error): void
}

/** A client on Node's http2 module. */
export class NodeHttp2Client implements Http2Client {
  readonly #options: Http2PoolOptions
  readonly #secureContext: SecureContext
  readonly #connections = new Set<Connection>()
  readonly #waiters = new Set<Waiter>()
  #isClosed = false

  constructor(options: Http2PoolOptions) {
    this.#options = options
    this.#secureContext = makeSecureContext(options)
  }

  async send(batch: Http2Batch): Promise<void> {
    await Promise.all(Array.from({ length: batch.count }, (_, index) => this.#sendOne(batch, index)))
  }

  request(request: Http2Request): Promise<Http2Response> {
    return requestOnce(this, request)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const waiter of this.#waiters) waiter.fail(new Http2Error('unsent', 'closed'))
    await Promise.all(
      [...this.#connections].map(({ session }) => {
        const closed = new Promise((resolve) => session.once('close', resolve))
        session.close()
        return session.destroyed ? undefined : closed
      }),
    )
  }

  async #sendOne(batch: Http2Batch, index: number): Promise<void> {
    let answer: Http2Answer
    try {
      answer = await this.#sendAgain(batch, index)
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error
      batch.onFailure(index, error)
      return
    }
    batch.onAnswer(index, answer)
  }

  async #sendAgain(batch: Http2Batch, index: number): Promise<Http2Answer> {
    for (let resends = 0; ; resends++) {
      const connection = await this.#findConnection(batch.signal)
      try {
        if (batch.isWithdrawn?.(index)) throw new Http2Error('aborted', 'aborted')
        return await this.#exchange(connection, batch, index)
      } catch (error) {
        if (!isUnprocessed(error) || resends === MAX_RESENDS) throw error
      } finally {
        connection.streams--
        if (connection.state === 'draining' && connection.streams === 0) connection.session.close()
        this.#serveWaiters()
      }
    }
  }

  /** Waits for a free stream and reserves it in the count of the connection. */
  #findConnection(signal: AbortSignal): Promise<Connection> {
    if (signal.aborted) return Promise.reject(new Http2Error('aborted', 'aborted'))
    if (this.#isClosed) return Promise.reject(new Http2Error('unsent', 'closed'))
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiters.delete(waiter)
        signal.removeEventListener('abort', onAbort)
      }
      const waiter: Waiter = {
        take: (connection) => {
          leave()
          resolve(connection)
        },
        fail: (error) => {
          leave()
          reject(error)
        },
      }
      const onAbort = () => waiter.fail(new Http2Error('aborted', 'aborted'))
      signal.addEventListener('abort', onAbort)
      this.#waiters.add(waiter)
      this.#serveWaiters()
    })
  }

  #serveWaiters(): void {
    for (const waiter of this.#waiters) {
      const free = [...this.#connections].find(
        ({ state, streams, maxStreams }) => state === 'open' && streams < maxStreams,
      )
      if (!free) break
      free.streams++
      waiter.take(free)
    }
    const usable = [...this.#connections].filter(({ state }) => state !== 'draining')
    const isOpening = usable.some(({ state }) => state === 'connecting')
    if (this.#waiters.size > 0 && !isOpening && usable.length < this.#options.maxConnections) this.#connect()
  }

  /** As `connectTls` of src/http2, without its receive buffer. */
  #openSocket(): TLSSocket {
    const { origin, lookup, isAddressAllowed } = this.#options
    const { hostname, port } = new URL(origin)
    const host = hostname.replace(/^\[|\]$/g, '')
    const guarded = isAddressAllowed ? guardLookup(isAddressAllowed, lookup) : lookup
    const socket = connectTls({
      host,
      port: Number(port || 443),
      servername: isIP(host) ? '' : host,
      secureContext: this.#secureContext,
      ALPNProtocols: ['h2'],
      ...(guarded && { lookup: guarded }),
    })
    if (isRefusedLiteral(host, isAddressAllowed)) socket.destroy(new AddressRefused())
    return socket
  }

  #connect(): void {
    const socket = this.#openSocket()
    const settings = { enablePush: false }
    const session = connect(this.#options.origin, { createConnection: () => socket, settings })
    const connection: Connection = {
      session,
      state: 'connecting',
      maxStreams: 0,
      streams: 0,
      lastStreamId: 2 ** 31 - 1,
    }
    let wasOpen = false
    let failure: 'connect_failed' | 'address_refused' = 'connect_failed'
    this.#connections.add(connection)
    session.on('connect', () => session.alpnProtocol !== 'h2' && session.destroy())
    session.on('remoteSettings', ({ maxConcurrentStreams = 1000 }) => {
      connection.maxStreams = maxConcurrentStreams
      if (connection.state === 'connecting') connection.state = 'open'
      wasOpen = true
      this.#serveWaiters()
    })
    session.on('goaway', (_code, lastStreamId) => {
      connection.state = 'draining'
      connection.lastStreamId = Math.min(connection.lastStreamId, lastStreamId)
    })
    session.on('error', (error) => {
      if (error instanceof AddressRefused) failure = 'address_refused'
    })
    session.on('close', () => {
      connection.state = 'draining'
      this.#connections.delete(connection)
      if (wasOpen) return this.#serveWaiters()
      for (const waiter of this.#waiters) waiter.fail(new Http2Error('unsent', failure))
    })
  }

  #exchange(connection: Connection, batch: Http2Batch, index: number): Promise<Http2Answer> {
    const fields: Record<string, string> = {}
    const body = new ByteWriter()
    try {
      batch.writeFields?.(index, { field: (name, value) => Object.assign(fields, { [name]: value }) })
      batch.writeBody?.(index, body)
    } catch {
      return Promise.reject(new Http2Error('unsent', 'request_invalid'))
    }
    const path = typeof batch.path === 'string' ? batch.path : batch.path(index)
    const pseudo = { ':method': batch.method ?? 'POST', ':path': path }
    let stream: ClientHttp2Stream
    try {
      stream = connection.session.request({ ...batch.headers, ...fields, ...pseudo }, { endStream: body.length === 0 })
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : ''
      const isGone = /^ERR_HTTP2_(INVALID|GOAWAY)_SESSION$/.test(code)
      if (isGone) connection.state = 'draining'
      return Promise.reject(new Http2Error('unsent', isGone ? 'goaway' : 'request_invalid'))
    }
    return this.#awaitAnswer(connection, stream, batch, body.take())
  }

  #awaitAnswer(
    connection: Connection,
    stream: ClientHttp2Stream,
    batch: Http2Batch,
    body: Buffer,
  ): Promise<Http2Answer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      let headers: Record<string, unknown> = {}
      let isComplete = false
      let cancelled: Http2ErrorCode | undefined
      const cancel = (why: Http2ErrorCode) => {
        cancelled = why
        stream.close(constants.NGHTTP2_CANCEL)
      }
      const onAbort = () => cancel('aborted')
      const deadline = setTimeout(cancel, this.#options.timing?.requestTimeoutMs ?? 20_000, 'timeout')
      batch.signal.addEventListener('abort', onAbort)
      stream.on('error', () => undefined)
      stream.once('response', (received) => {
        headers = received
      })
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.once('end', () => {
        isComplete = stream.rstCode === 0 && !stream.aborted
      })
      stream.once('close', () => {
        clearTimeout(deadline)
        batch.signal.removeEventListener('abort', onAbort)
        if (isComplete && ':status' in headers) {
          resolve(makeAnswer(headers, Buffer.concat(chunks), batch.maxAnswerBytes ?? MAX_BODY_BYTES))
        } else if (cancelled === 'aborted') reject(new Http2Error('aborted', 'aborted'))
        else reject(this.#failureOf(connection, stream, cancelled === 'timeout'))
      })
      if (body.length > 0) stream.end(body)
    })
  }

  #failureOf(connection: Connection, stream: ClientHttp2Stream, isTimeout: boolean): Http2Error {
    if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) return new Http2Error('unsent', 'refused_stream')
    if (stream.id !== undefined && stream.id > connection.lastStreamId) return new Http2Error('unsent', 'goaway')
    if (isTimeout) this.#ping(connection)
    if (isTimeout) return new Http2Error('ambiguous', 'timeout')
    return new Http2Error('ambiguous', connection.session.destroyed ? 'connection_lost' : 'stream_reset')
  }

  #ping(connection: Connection): void {
    if (connection.state !== 'open') return
    connection.state = 'pinged'
    const timer = setTimeout(() => connection.session.destroy(), PING_TIMEOUT_MS)
    connection.session.ping(() => {
      clearTimeout(timer)
      if (connection.state === 'pinged') connection.state = 'open'
      this.#serveWaiters()
    })
  }
}

/** The server has certainly not processed the request. */
function isUnprocessed(error: unknown): boolean {
  if (!(error instanceof Http2Error) || error.kind !== 'unsent') return false
  return error.code === 'goaway' || error.code === 'refused_stream'
}

function makeAnswer(headers: Record<string, unknown>, whole: Buffer, maxBytes: number): Http2Answer {
  const body = whole.subarray(0, maxBytes)
  return {
    status: Number(headers[':status']),
    header: (name) => (headers[name] === undefined ? undefined : String(headers[name])),
    bodyLength: body.length,
    bodyText: () => body.toString(),
    bodyBytes: () => Buffer.from(body),
  }
}
