import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A TCP proxy that can interrupt the connections between clients and a server. */
export interface TcpProxy {
  port: number
  /** Closes all connections and refuses new ones. */
  cut(): Promise<void>
  /** Passes no bytes on and closes nothing, as a network that drops all packets. */
  stall(): void
  /** Passes bytes on again, first those that it held back. */
  resume(): void
  /** Accepts and forwards connections again. Closes the old ones. */
  mend(): Promise<void>
}

/** Starts a proxy on a free port. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  /** Each client with its connection to the server. */
  const pairs = new Map<Socket, Socket>()
  let isStalled = false
  const pass = (client: Socket, target: Socket) => client.pipe(target).pipe(client)
  const server = createServer((client) => {
    const target = connect(targetPort, '127.0.0.1')
    for (const socket of [client, target]) {
      sockets.add(socket)
      // The proxy cuts connections on purpose.
      socket.on('error', () => undefined).once('close', () => sockets.delete(socket))
    }
    pairs.set(client, target)
    client.once('close', () => {
      pairs.delete(client)
      target.destroy()
    })
    target.once('close', () => client.destroy())
    if (!isStalled) pass(client, target)
  })
  const listen = async (port: number): Promise<number> => {
    await once(server.listen(port, '127.0.0.1'), 'listening')
    const address = server.address()
    return typeof address === 'object' && address ? address.port : 0
  }
  const destroyAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  const port = await listen(0)
  return {
    port,
    async cut() {
      const closed = server.listening ? once(server, 'close') : undefined
      server.close()
      destroyAll()
      await closed
    },
    stall() {
      isStalled = true
      // A socket without a pipe is paused: it keeps its bytes.
      for (const socket of sockets) socket.unpipe()
    },
    resume() {
      isStalled = false
      for (const pair of pairs) pass(...pair)
    },
    async mend() {
      isStalled = false
      destroyAll()
      if (!server.listening) await listen(port)
    },
  }
}
