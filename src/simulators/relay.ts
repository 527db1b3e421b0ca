import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** For clients that never close their side. */
const CLOSE_GRACE_MS = 500

/** Both ends of a connection that goes through a relay. */
interface Way {
  client: Socket
  target: Socket
}

/** Stands before a server and passes bytes on, so that connections can be broken below TLS. */
export class Relay {
  readonly #server: Server
  readonly #ways = new Set<Way>()

  constructor(deps: { targetPort: number }) {
    this.#server = createServer((client) => this.#onClient(client, connect(deps.targetPort, '127.0.0.1')))
  }

  /** Listens on 127.0.0.1; 0 takes a free port. Rejects where the port is taken. */
  async listen(port: number): Promise<void> {
    await once(this.#server.listen(port, '127.0.0.1'), 'listening')
  }

  get port(): number {
    const address = this.#server.address()
    // An object for every server that listens on a port.
    return typeof address === 'object' && address ? address.port : 0
  }

  /** Ends a connection with RST; `remotePort` is the one that the server behind sees. */
  cut(remotePort: number | undefined): void {
    const way = this.#find(remotePort)
    way?.client.resetAndDestroy()
    way?.target.destroy()
  }

  /** From here on nothing passes, and nothing is closed. */
  stall(remotePort: number | undefined): void {
    const way = this.#find(remotePort)
    way?.client.unpipe()
    way?.target.unpipe()
    // What comes is read and thrown away, so that the end of either side is noticed.
    way?.client.resume()
    way?.target.resume()
  }

  /** Ends all connections and frees the port. Clients have seen the end when this resolves. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const { client, target } of this.#ways) {
      target.destroy()
      client.end()
    }
    const overdue = setTimeout(() => this.#destroyAll(), CLOSE_GRACE_MS)
    await closed
    clearTimeout(overdue)
  }

  #destroyAll(): void {
    for (const { client } of this.#ways) client.destroy()
  }

  #find(remotePort: number | undefined): Way | undefined {
    return [...this.#ways].find(({ target }) => target.localPort === remotePort)
  }

  #onClient(client: Socket, target: Socket): void {
    const way = { client, target }
    this.#ways.add(way)
    for (const socket of [client, target]) {
      socket.setNoDelay(true)
      // A broken connection is what this is for; 'close' follows.
      socket.on('error', () => undefined)
    }
    client.once('close', () => {
      this.#ways.delete(way)
      target.destroy()
    })
    // Ended, not destroyed: what was passed on before still arrives.
    target.once('close', () => client.end())
    client.pipe(target).pipe(client)
  }
}
