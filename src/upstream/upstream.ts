// The Centrifugo node behind us: requests go up and answers come back with their bytes.
import { type IncomingMessage, type RequestOptions, request as requestHttp, type ServerResponse } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Duplex } from 'node:stream'
import { Pool } from 'undici'
import type { Logger } from '../observability/log.ts'
import { announcedLength, limitBody, readBody } from './body.ts'
import { apiRequestHeaders, connectionRequestHeaders, responseHeaders } from './headers.ts'
import { BodyTooLargeError, Relay } from './relay.ts'

/** A body up to this size is read before it goes up: one write instead of a stream is a tenth of the whole cost. */
const READ_AHEAD_BYTES = 64 * 1024
/** What the connection endpoints are asked with. */
const PASSED_METHODS = ['GET', 'POST', 'OPTIONS'] as const
/** The most that an answer to `call` may have; more is no answer of a node. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024

export interface UpstreamOptions {
  /** The node's base URL. */
  address: string
  /** The node's API key; empty when it asks for none. */
  apiKey: string
  /** How long the node may take to start answering, and then between two pieces of an answer. */
  timeoutMs: number
  connectTimeoutMs: number
  maxConnections: number
  /** PEM of an authority to trust. */
  ca: string[] | undefined
  /** Ask the node for the transport error mode, whatever the client wants. */
  transportErrors: boolean
  maxRequestBytes: number
}

/** The node could not be reached, did not answer in time, or not with 200. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError'
}

interface Deps {
  options: UpstreamOptions
  /** Answers a client whose request the node did not: 502, or 413 for a BodyTooLargeError. */
  onFailure(outgoing: ServerResponse, error: Error): void
  logger: Logger
}

export class Upstream {
  readonly #options: UpstreamOptions
  readonly #base: URL
  readonly #pool: Pool
  /** Clients stay connected for hours, so they have connections of their own, as many as there are clients. */
  readonly #clientPool: Pool
  readonly #clients = new Set<Duplex | ServerResponse>()
  readonly #apiHeaders: Record<string, string>
  readonly #onFailure: Deps['onFailure']
  readonly #logger: Logger

  constructor({ options, onFailure, logger }: Deps) {
    this.#options = options
    this.#base = new URL(options.address)
    this.#onFailure = onFailure
    this.#logger = logger
    this.#apiHeaders = {
      ...(options.apiKey !== '' && { 'x-api-key': options.apiKey }),
      ...(options.transportErrors && { 'x-centrifugo-error-mode': 'transport' }),
    }
    const connect = { timeout: options.connectTimeoutMs, ...(options.ca && { ca: options.ca }) }
    // The time until an answer starts is the relay's to watch.
    const shared = { headersTimeout: 0, connect }
    this.#pool = new Pool(this.#base.origin, {
      ...shared,
      connections: options.maxConnections,
      bodyTimeout: options.timeoutMs,
    })
    this.#clientPool = new Pool(this.#base.origin, { ...shared, connections: null, bodyTimeout: 0 })
  }

  /** Passes an API request up and its answer back. `body` where it has been read already. */
  async forward(incoming: IncomingMessage, outgoing: ServerResponse, path: string, body?: Buffer): Promise<void> {
    const headers = { ...apiRequestHeaders(incoming.headers), ...this.#apiHeaders }
    const relay = this.#relay(outgoing, this.#options.timeoutMs)
    try {
      const sent = body ?? (await this.#readAhead(incoming, relay))
      this.#pool.dispatch({ path: this.#path(path), method: 'POST', headers, body: sent }, relay)
    } catch (error) {
      relay.abort(error instanceof Error ? error : new UpstreamError('request not sent'))
    }
  }

  /** Asks the node something of ours. @throws UpstreamError */
  async call(path: string, body: Buffer): Promise<Buffer> {
    const headers = { ...this.#apiHeaders, 'content-type': 'application/json' }
    try {
      const answer = await this.#pool.request({
        path: this.#path(path),
        method: 'POST',
        headers,
        body,
        headersTimeout: this.#options.timeoutMs,
        signal: AbortSignal.timeout(2 * this.#options.timeoutMs),
      })
      const chunks: Buffer[] = []
      let size = 0
      // undici gives the body as buffers.
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        size += chunk.length
        if (size > MAX_ANSWER_BYTES) throw new UpstreamError('the answer is too large')
        chunks.push(chunk)
      }
      if (answer.statusCode !== 200) throw new UpstreamError(`status ${answer.statusCode}`)
      return Buffer.concat(chunks)
    } catch (error) {
      throw error instanceof UpstreamError ? error : new UpstreamError('no answer', { cause: error })
    }
  }

  /** Passes a request to a connection endpoint (SSE, HTTP streaming, emulation): no limit to how long it streams. */
  pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const relay = this.#relay(outgoing, this.#options.timeoutMs)
    const hasBody = incoming.headers['transfer-encoding'] !== undefined || (announcedLength(incoming) ?? 0) > 0
    this.#keep(outgoing)
    this.#clientPool.dispatch(
      {
        path: this.#path(incoming.url ?? '/'),
        method: PASSED_METHODS.find((method) => method === incoming.method) ?? 'GET',
        headers: this.#connectionHeaders(incoming),
        body: hasBody ? limitBody(incoming, this.#options.maxRequestBytes, relay.onRequestProgress) : null,
      },
      relay,
    )
  }

  /** Connects a WebSocket client with the node. */
  tunnel(incoming: IncomingMessage, client: Duplex, head: Buffer): void {
    const { protocol, hostname, port } = this.#base
    const options: RequestOptions = {
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port || (protocol === 'https:' ? 443 : 80),
      path: this.#path(incoming.url ?? '/'),
      method: 'GET',
      headers: { ...this.#connectionHeaders(incoming), connection: 'Upgrade', upgrade: 'websocket' },
      timeout: this.#options.timeoutMs,
    }
    const request = protocol === 'https:' ? requestHttps({ ...options, ca: this.#options.ca }) : requestHttp(options)
    this.#keep(client)
    client.on('error', () => request.destroy())
    client.once('close', () => request.destroy())
    request.once('timeout', () => request.destroy(new UpstreamError('the node did not answer in time')))
    request.once('upgrade', (answer, node, nodeHead) => {
      node.setTimeout(0)
      client.write(`${statusLine(answer)}connection: Upgrade\r\nupgrade: websocket\r\n\r\n`)
      if (nodeHead.length > 0) client.write(nodeHead)
      if (head.length > 0) node.write(head)
      node.on('error', () => client.destroy())
      node.pipe(client).pipe(node)
      client.once('close', () => node.destroy())
      node.once('close', () => client.destroy())
    })
    request.once('response', (answer) => {
      client.write(`${statusLine(answer)}connection: close\r\n\r\n`)
      answer.pipe(client)
    })
    request.once('error', (error) => {
      this.#logger.warn({ err: error }, 'upstream: WebSocket not connected')
      client.end('HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    })
    request.end()
  }

  /** Cuts the clients of the connection endpoints: they connect again, elsewhere. */
  cutClients(): void {
    for (const client of this.#clients) client.destroy()
  }

  /** Cuts what is left of requests; call it when the server has stopped. */
  async close(): Promise<void> {
    this.cutClients()
    await Promise.all([this.#pool.destroy(), this.#clientPool.destroy()])
  }

  #keep(client: Duplex | ServerResponse): void {
    this.#clients.add(client)
    client.once('close', () => this.#clients.delete(client))
  }

  /** With the client's Host, which the node compares with a browser's Origin; over TLS it would choose the certificate. */
  #connectionHeaders({ headers }: IncomingMessage) {
    const { host } = headers
    const isKept = host !== undefined && this.#base.protocol === 'http:'
    return { ...connectionRequestHeaders(headers), ...(isKept && { host }) }
  }

  #relay(outgoing: ServerResponse, timeoutMs: number): Relay {
    return new Relay({
      outgoing,
      timeoutMs,
      onFailure: (error) => {
        if (!(error instanceof BodyTooLargeError)) this.#logger.warn({ err: error }, 'upstream: no answer')
        this.#onFailure(outgoing, error)
      },
    })
  }

  async #readAhead(incoming: IncomingMessage, relay: Relay) {
    const { maxRequestBytes } = this.#options
    const length = announcedLength(incoming)
    if (length !== undefined && (length <= READ_AHEAD_BYTES || length > maxRequestBytes)) {
      return readBody(incoming, maxRequestBytes)
    }
    return limitBody(incoming, maxRequestBytes, relay.onRequestProgress)
  }

  #path(path: string): string {
    return this.#base.pathname.replace(/\/$/, '') + path
  }
}

function statusLine(answer: IncomingMessage): string {
  const headers = Object.entries(responseHeaders(answer.headers)).flatMap(([name, value]) =>
    [value].flat().map((one) => `${name}: ${one}\r\n`),
  )
  return `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\n${headers.join('')}`
}
