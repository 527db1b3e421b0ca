import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** How long `close` waits for clients that do not close their side, in ms. */
const CLOSE_GRACE_MS = 500

/** The two sockets of a relayed connection: to the client and to the server. */
interface RelayedConnection {
  client: Socket
  target: Socket
}

/** A TCP proxy in front of a server, which can break connections below TLS. */
export class Relay {
  readonly #server: Server
  readonly #connections = new Set<RelayedConnection>()

  constructor(deps: { targetPort: number }) {
    this.#server = createServer((client) => this.#onClient(client, connect(deps.targetPort, '127.0.0.1')))
  }

  /** Listens on 127.0.0.1. Port 0 means any free port. Rejects if the port is in use. */
  async listen(port: number): Promise<void> {
    await once(this.#server.listen(port, '127.0.0.1'), 'listening')
  }

  /** The port that the relay listens on. */
  get port(): number {
    const address = this.#server.address()
    // The address of a server that listens on a port is an object.
    return typeof address === 'object' && address ? address.port : 0
  }

  /**
   * Resets a connection. `remotePort` is the port of the relay's socket to the server, which identifies the connection
   * there.
   */
  cut(remotePort: number | undefined): void {
    const connection = this.#find(remotePort)
    connection?.client.resetAndDestroy()
    connection?.target.destroy()
  }

  /** Stops passing bytes on a connection, and keeps it open. `remotePort` is as for `cut`. */
  stall(remotePort: number | undefined): void {
    const connection = this.#find(remotePort)
    connection?.client.unpipe()
    connection?.target.unpipe()
    // Bytes of a stalled connection are read and discarded, so that the end of either side is noticed.
    connection?.client.resume()
    connection?.target.resume()
  }

  /** Closes all connections and frees the port. Resolves when the clients have received the end. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const { client, target } of this.#connections) {
      target.destroy()
      client.end()
    }
    const overdue = setTimeout(() => this.#destroyAll(), CLOSE_GRACE_MS)
    await closed
    clearTimeout(overdue)
  }

  #destroyAll(): void {
    for (const { client } of this.#connections) client.destroy()
  }

  #find(remotePort: number | undefined): RelayedConnection | undefined {
    return [...this.#connections].find(({ target }) => target.localPort === remotePort)
  }

  #onClient(client: Socket, target: Socket): void {
    const connection = { client, target }
    this.#connections.add(connection)
    for (const socket of [client, target]) {
      socket.setNoDelay(true)
      // Errors are expected, because connections are broken on purpose. The event 'close' follows.
      socket.on('error', () => undefined)
    }
    client.once('close', () => {
      this.#connections.delete(connection)
      target.destroy()
    })
    // Ended, not destroyed: bytes that were passed on before still arrive.
    target.once('close', () => client.end())
    client.pipe(target).pipe(client)
  }
}
