import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** The longest wait for clients that do not close their side. */
const CLOSE_GRACE_MS = 500

/** Both sockets of a relayed connection. */
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

  /** The port that it listens on. */
  get port(): number {
    const address = this.#server.address()
    // An object, because the server listens on a port.
    return typeof address === 'object' && address ? address.port : 0
  }

  /** Resets a connection. `remotePort` is the remote port from the view of the server. */
  cut(remotePort: number | undefined): void {
    const connection = this.#find(remotePort)
    connection?.client.resetAndDestroy()
    connection?.target.destroy()
  }

  /** Stops passing bytes on a connection, and keeps it open. */
  stall(remotePort: number | undefined): void {
    const connection = this.#find(remotePort)
    connection?.client.unpipe()
    connection?.target.unpipe()
    // Bytes are read and discarded, so that the end of either side is noticed.
    connection?.client.resume()
    connection?.target.resume()
  }

  /** Ends all connections and frees the port. Resolves when the clients have received the end. */
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
      // Expected, because connections are broken on purpose. 'close' follows.
      socket.on('error', () => undefined)
    }
    client.once('close', () => {
      this.#connections.delete(connection)
      target.destroy()
    })
    // `end`, not `destroy`: bytes that were passed on before still arrive.
    target.once('close', () => client.end())
    client.pipe(target).pipe(client)
  }
}
