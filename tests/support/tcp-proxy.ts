import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A TCP proxy that can interrupt the connections between clients and a server. */
export interface TcpProxy {
  port: number
  /** Closes all connections and refuses new ones. */
  cut(): Promise<void>
  /** Passes no bytes on, and no end of a connection, but keeps both until `resume`, as a network that drops packets. */
  stall(): void
  /** Passes on all that it has kept, in its order, also for clients that have closed their connections. */
  resume(): void
  /** Accepts and forwards connections again. Closes the old ones. */
  mend(): Promise<void>
}

/** Starts a proxy on a free port. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  /** The bytes and ends of connections of a stall; undefined while there is none. */
  let kept: (() => void)[] | undefined
  const pass = (act: () => void) => {
    if (kept) kept.push(act)
    else act()
  }
  const forward = (from: Socket, to: Socket) => {
    from.on('data', (bytes) => pass(() => to.write(bytes)))
    from.once('close', () => pass(() => to.end()))
  }
  const server = createServer((client) => {
    const target = connect(targetPort, '127.0.0.1')
    for (const socket of [client, target]) {
      sockets.add(socket)
      // The proxy cuts connections on purpose.
      socket.on('error', () => undefined).once('close', () => sockets.delete(socket))
    }
    forward(client, target)
    forward(target, client)
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
      kept ??= []
    },
    resume() {
      const acts = kept ?? []
      kept = undefined
      for (const act of acts) act()
    },
    async mend() {
      kept = undefined
      destroyAll()
      if (!server.listening) await listen(port)
    },
  }
}
