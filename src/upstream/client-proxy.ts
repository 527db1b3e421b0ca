import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Pool } from 'undici'
import { ConnectedClients } from './connected-clients.ts'
import { asksForWebSocket, HandshakeResponse } from './handshake-response.ts'
import { connectionRequestHeaders, responseHeaders } from './headers.ts'
import type { NodeAddress } from './node-address.ts'
import { NodePaths } from './node-paths.ts'
import type { OnUpgrade, Relay, StartRelay } from './relay.ts'
import { contentLength, limitBody } from './request-body.ts'
import type { RouteHeaders } from './route-headers.ts'
import type { UpstreamOptions } from './upstream-options.ts'
import type { Via } from './via.ts'
import { WebSocketTunnel } from './websocket-tunnel.ts'

interface Deps {
  options: UpstreamOptions
  address: NodeAddress
  startRelay: StartRelay
  route: RouteHeaders
}

/** Connects clients with the node: WebSocket, SSE, HTTP streaming and emulation, and browsers with its admin web UI. */
export class ClientProxy {
  /** The paths that are passed on. */
  readonly paths: NodePaths
  readonly #options: UpstreamOptions
  readonly #address: NodeAddress
  readonly #startRelay: StartRelay
  readonly #route: RouteHeaders
  /** Unlimited, because clients stay connected for hours. Apart from API requests, which must not wait for them. */
  readonly #pool: Pool
  readonly #clients = new ConnectedClients()
  /** The relays of each connection: there are several in a pipeline. */
  readonly #relays = new WeakMap<Socket, Set<Relay>>()

  constructor({ options, address, startRelay, route }: Deps) {
    this.paths = new NodePaths(options.paths)
    this.#options = options
    this.#address = address
    this.#startRelay = startRelay
    this.#route = route
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

  /**
   * Sends a request (SSE, HTTP streaming, emulation, a WebSocket handshake) to the node and relays the answer, however
   * long it streams. If the node accepts a handshake, both connections carry the WebSocket from then on.
   */
  pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const relay = this.#startRelay(outgoing, outgoing instanceof HandshakeResponse ? this.#join(outgoing) : undefined)
    const hasBody = incoming.headers['transfer-encoding'] !== undefined || (contentLength(incoming) ?? 0) > 0
    this.#clients.add(outgoing)
    this.#endWithClient(relay, incoming.socket, outgoing)
    this.#pool.dispatch(
      {
        path: this.#address.path(incoming.url ?? '/'),
        method: incoming.method ?? 'GET',
        headers: this.#headers(incoming),
        body: hasBody ? limitBody(incoming, this.#options.maxRequestBytes, relay.onRequestProgress) : null,
        // A refusal is not a stream, so a pause in it is limited.
        ...(asksForWebSocket(incoming.headers) && { upgrade: 'websocket', bodyTimeout: this.#options.timeoutMs }),
      },
      relay,
    )
  }

  /**
   * Disconnects all clients in slices over `spreadMs`, so that they don't reconnect all at once. WebSocket clients get
   * the close code of a node that shuts down.
   */
  disconnectAll(spreadMs: number): void {
    this.#clients.disconnect(spreadMs)
  }

  /** Disconnects the remaining clients at once. */
  closeClients(): void {
    this.#clients.close()
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    this.closeClients()
    await this.#pool.destroy()
  }

  #join(outgoing: HandshakeResponse): OnUpgrade {
    return (headers, node) => {
      const client = outgoing.switchProtocols(responseHeaders(headers))
      this.#clients.add(new WebSocketTunnel(client, node))
    }
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
