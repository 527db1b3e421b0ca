import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Pool } from 'undici'
import type { Logger } from '../observability/log.ts'
import { connectionRequestHeaders } from './headers.ts'
import type { NodeAddress } from './node-address.ts'
import { NodePaths } from './node-paths.ts'
import type { Relay, StartRelay } from './relay.ts'
import { contentLength, limitBody } from './request-body.ts'
import type { RouteHeaders } from './route-headers.ts'
import type { UpstreamOptions } from './upstream-options.ts'
import type { Via } from './via.ts'
import { openTunnel } from './websocket-tunnel.ts'

interface Deps {
  options: UpstreamOptions
  address: NodeAddress
  startRelay: StartRelay
  route: RouteHeaders
  logger: Logger
}

/** Connects clients with the node: WebSocket, SSE, HTTP streaming and emulation, and browsers with its admin web UI. */
export class ClientProxy {
  /** The paths that are passed on. */
  readonly paths: NodePaths
  readonly #options: UpstreamOptions
  readonly #address: NodeAddress
  readonly #startRelay: StartRelay
  readonly #route: RouteHeaders
  readonly #logger: Logger
  /** Unlimited, because clients stay connected for hours. Apart from API requests, which must not wait for them. */
  readonly #pool: Pool
  readonly #clients = new Set<Duplex | ServerResponse>()
  /** The relays of each connection: there are several in a pipeline. */
  readonly #relays = new WeakMap<Socket, Set<Relay>>()

  constructor({ options, address, startRelay, route, logger }: Deps) {
    this.paths = new NodePaths(options.paths)
    this.#options = options
    this.#address = address
    this.#startRelay = startRelay
    this.#route = route
    this.#logger = logger
    this.#pool = new Pool(address.origin, {
      // The relay limits the time until an answer starts.
      headersTimeout: 0,
      bodyTimeout: 0,
      connections: null,
      connect: { timeout: options.connectTimeoutMs, ...(options.ca && { ca: options.ca }) },
    })
  }

  /** The entry of this process in requests to the node. */
  get via(): Via {
    return this.#route.via
  }

  /** Sends a request (SSE, HTTP streaming, emulation) to the node and relays the answer, however long it streams. */
  pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const relay = this.#startRelay(outgoing)
    const hasBody = incoming.headers['transfer-encoding'] !== undefined || (contentLength(incoming) ?? 0) > 0
    this.#track(outgoing)
    this.#endWithClient(relay, incoming.socket, outgoing)
    this.#pool.dispatch(
      {
        path: this.#address.path(incoming.url ?? '/'),
        method: incoming.method ?? 'GET',
        headers: this.#headers(incoming),
        body: hasBody ? limitBody(incoming, this.#options.maxRequestBytes, relay.onRequestProgress) : null,
      },
      relay,
    )
  }

  /** Connects a WebSocket client with the node. `head` are the bytes that the client sent after its request. */
  tunnel(incoming: IncomingMessage, client: Duplex, head: Buffer): void {
    this.#track(client)
    const { timeoutMs, ca } = this.#options
    const path = this.#address.path(incoming.url ?? '/')
    const node = { address: this.#address, path, headers: this.#headers(incoming), timeoutMs, ca }
    openTunnel(node, client, head, this.#logger)
  }

  /** Closes the connections of all clients. They reconnect to another server. */
  disconnectAll(): void {
    for (const client of this.#clients) client.destroy()
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    this.disconnectAll()
    await this.#pool.destroy()
  }

  #track(client: Duplex | ServerResponse): void {
    this.#clients.add(client)
    client.once('close', () => this.#clients.delete(client))
  }

  /** Tells a relay that the client has closed its side. One listener for all relays of a connection. */
  #endWithClient(relay: Relay, socket: Socket, outgoing: ServerResponse): void {
    const relays = this.#relays.get(socket) ?? new Set()
    if (!this.#relays.has(socket)) {
      this.#relays.set(socket, relays)
      socket.once('end', () => {
        for (const open of relays) open.onClientEnd()
      })
    }
    relays.add(relay)
    outgoing.once('close', () => relays.delete(relay))
  }

  /** Keeps the client's Host, which the node compares with Origin. With TLS, Host would select the certificate. */
  #headers(incoming: IncomingMessage) {
    const headers = connectionRequestHeaders(incoming.headers)
    this.#route.addTo(headers, incoming)
    const { host } = incoming.headers
    if (host !== undefined && !this.#address.isSecure) headers.host = host
    return headers
  }
}
