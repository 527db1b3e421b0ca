import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** The address of a provider, behind which its server can be exchanged. */
export class ProviderSwitch {
  readonly #sockets = new Set<Socket>()
  #server: Server
  #targetPort: number
  /** The port of the address, on the loopback interface. */
  port = 0

  private constructor(targetPort: number) {
    this.#targetPort = targetPort
    this.#server = this.#makeServer()
  }

  /** Listens on a free port, and passes connections on to `targetPort`. */
  static async start(targetPort: number): Promise<ProviderSwitch> {
    const made = new ProviderSwitch(targetPort)
    await made.#listen(0)
    return made
  }

  /** Passes new connections on to another port, and cuts the old ones. */
  async pointTo(targetPort: number): Promise<void> {
    this.#targetPort = targetPort
    this.#cut()
    if (!this.#server.listening) await this.#listen(this.port)
  }

  /** Passes new connections on to another port. No more bytes pass on the old ones, which stay open. */
  swallowAndPointTo(targetPort: number): void {
    this.#targetPort = targetPort
    for (const socket of this.#sockets) socket.unpipe().resume()
  }

  /** Cuts all connections and refuses new ones. Also ends the switch. */
  async refuse(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#cut()
    await closed
    this.#server = this.#makeServer()
  }

  #makeServer(): Server {
    return createServer((client) => {
      const target = connect(this.#targetPort, '127.0.0.1')
      for (const socket of [client, target]) {
        this.#sockets.add(socket)
        // Connections are cut on purpose. 'close' follows.
        socket.on('error', () => undefined)
      }
      client.once('close', () => this.#onClose(client, target))
      target.once('close', () => this.#onClose(target, client))
      client.pipe(target).pipe(client)
    })
  }

  #onClose(closed: Socket, other: Socket): void {
    this.#sockets.delete(closed)
    other.destroy()
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async #listen(port: number): Promise<void> {
    await once(this.#server.listen(port, '127.0.0.1'), 'listening')
    const address = this.#server.address()
    if (typeof address === 'object' && address) this.port = address.port
  }
}
