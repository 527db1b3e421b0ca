import type { IncomingMessage, ServerResponse } from 'node:http'
import { Pool } from 'undici'
import { apiRequestHeaders } from './headers.ts'
import type { NodeAddress } from './node-address.ts'
import type { Relay, StartRelay } from './relay.ts'
import { contentLength, limitBody, readBody } from './request-body.ts'
import type { RouteHeaders } from './route-headers.ts'
import { UpstreamError } from './upstream-error.ts'
import type { UpstreamOptions } from './upstream-options.ts'
import type { Via } from './via.ts'

/** A body up to this size is read before it is sent: one write instead of a stream saves a tenth of the whole cost. */
const READ_AHEAD_BYTES = 64 * 1024
/** Limit of answers to `call`. A node never sends larger ones. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024

interface Deps {
  options: UpstreamOptions
  address: NodeAddress
  startRelay: StartRelay
  route: RouteHeaders
}

/** The server API of the node. */
export class NodeApi {
  readonly #options: UpstreamOptions
  readonly #address: NodeAddress
  readonly #startRelay: StartRelay
  readonly #route: RouteHeaders
  readonly #pool: Pool
  readonly #headers: Record<string, string>

  constructor({ options, address, startRelay, route }: Deps) {
    this.#options = options
    this.#address = address
    this.#startRelay = startRelay
    this.#route = route
    this.#headers = {
      ...(options.apiKey !== '' && { 'x-api-key': options.apiKey }),
      ...(options.transportErrors && { 'x-centrifugo-error-mode': 'transport' }),
    }
    this.#pool = new Pool(address.origin, {
      // The relay limits the time until an answer starts.
      headersTimeout: 0,
      bodyTimeout: options.timeoutMs,
      connections: options.maxConnections,
      connect: { timeout: options.connectTimeoutMs, ...(options.ca && { ca: options.ca }) },
    })
  }

  /** The entry of this process in requests to the node. */
  get via(): Via {
    return this.#route.via
  }

  /**
   * Sends a client's API request to the node and relays the answer. `body` is the request body if it was read already.
   */
  async forward(incoming: IncomingMessage, outgoing: ServerResponse, path: string, body?: Buffer): Promise<void> {
    const headers = apiRequestHeaders(incoming.headers)
    this.#route.addTo(headers, incoming)
    Object.assign(headers, this.#headers)
    const relay = this.#startRelay(outgoing)
    try {
      const sent = body ?? (await this.#readAhead(incoming, relay))
      if (!Buffer.isBuffer(sent)) Object.assign(headers, lengthHeader(incoming))
      this.#pool.dispatch({ path: this.#address.path(path), method: 'POST', headers, body: sent }, relay)
    } catch (error) {
      relay.abort(error instanceof Error ? error : new UpstreamError('request not sent'))
    }
  }

  /**
   * Sends a request of this server to the node.
   * @param timeoutMs until the node must start to answer; twice as long until the end of its answer
   * @throws UpstreamError when there is no answer with status 200
   */
  async call(path: string, body: Buffer, timeoutMs = this.#options.timeoutMs): Promise<Buffer> {
    const headers = { ...this.#headers, 'content-type': 'application/json', via: this.via.extend(undefined) }
    try {
      const answer = await this.#pool.request({
        path: this.#address.path(path),
        method: 'POST',
        headers,
        body,
        headersTimeout: timeoutMs,
        signal: AbortSignal.timeout(2 * timeoutMs),
      })
      // undici types the chunks of a body as any. They are buffers.
      const bytes = await collect(answer.body as AsyncIterable<Buffer>)
      const { statusCode: status } = answer
      if (status !== 200) throw new UpstreamError(`the node answered with status ${status}`, { status })
      return bytes
    } catch (error) {
      throw error instanceof UpstreamError ? error : new UpstreamError('no answer of the node', { cause: error })
    }
  }

  /** Ends all requests. */
  close(): Promise<void> {
    return this.#pool.destroy()
  }

  async #readAhead(incoming: IncomingMessage, relay: Relay) {
    const { maxRequestBytes } = this.#options
    const length = contentLength(incoming)
    if (length !== undefined && (length <= READ_AHEAD_BYTES || length > maxRequestBytes)) {
      return readBody(incoming, maxRequestBytes)
    }
    return limitBody(incoming, maxRequestBytes, relay.onRequestProgress)
  }
}

async function collect(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > MAX_ANSWER_BYTES) throw new UpstreamError('the answer of the node is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** The length of a streamed body, if the client has announced it. Without it the body would be sent in chunks. */
function lengthHeader({ headers }: IncomingMessage): Record<string, string> | undefined {
  const length = headers['content-length']
  return length === undefined ? undefined : { 'content-length': length }
}
