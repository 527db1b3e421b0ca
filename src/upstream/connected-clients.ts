import type { ServerResponse } from 'node:http'
import { WebSocketTunnel } from './websocket-tunnel.ts'

/** Time between two slices of clients that are disconnected. */
const SLICE_MS = 50

/** A client of a connection endpoint: its WebSocket, or the answer that it reads. */
type Client = WebSocketTunnel | ServerResponse

/** The clients of the connection endpoints, and how they are disconnected when the server stops. */
export class ConnectedClients {
  readonly #clients = new Set<Client>()
  /** While the server stops: the clients that are not disconnected yet. */
  #waiting: Set<Client> | undefined
  #slices: NodeJS.Timeout | undefined

  /** Adds a client until its WebSocket or its answer is closed. */
  add(client: Client): void {
    this.#clients.add(client)
    this.#waiting?.add(client)
    const onClose = () => {
      this.#clients.delete(client)
      this.#waiting?.delete(client)
    }
    if (client instanceof WebSocketTunnel) client.onClose(onClose)
    else client.once('close', onClose)
  }

  /**
   * Disconnects all clients in slices, evenly over `spreadMs` but at least 20 a second, so that they don't reconnect
   * all at once. Clients that connect afterwards are disconnected too.
   */
  disconnect(spreadMs: number): void {
    const waiting = new Set(this.#clients)
    const endsAtMs = performance.now() + spreadMs
    this.#waiting = waiting
    const disconnectSlice = () => {
      const slicesLeft = Math.max(1, (endsAtMs - performance.now()) / SLICE_MS)
      disconnectSome(waiting, Math.ceil(waiting.size / slicesLeft))
    }
    this.#slices = setInterval(disconnectSlice, SLICE_MS)
    disconnectSlice()
  }

  /** Disconnects the remaining clients and closes all connections. */
  close(): void {
    clearInterval(this.#slices)
    for (const client of this.#waiting ?? []) disconnect(client)
    for (const client of this.#clients) client.destroy()
  }
}

/** Disconnects the first `count` clients. */
function disconnectSome(waiting: Set<Client>, count: number): void {
  let left = count
  for (const client of waiting) {
    if (left-- === 0) return
    // A request without an answer is in flight, like one of the API.
    if (!(client instanceof WebSocketTunnel || client.headersSent)) continue
    waiting.delete(client)
    disconnect(client)
  }
}

function disconnect(client: Client): void {
  if (client instanceof WebSocketTunnel) client.disconnect()
  else client.destroy()
}
