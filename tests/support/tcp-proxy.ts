import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A TCP proxy that can interrupt the connections between clients and a server. */
export interface TcpProxy {
  port: number
  /** Closes all connections and refuses new ones. */
  cut(): Promise<void>
  /** Discards all bytes and closes nothing, like a firewall that has lost the state of the connections. */
  swallow(): void
  /** Accepts and forwards connections again. Closes the old ones. */
  mend(): Promise<void>
}

/** Starts a proxy on a free port. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let isSwallowing = false
  const server = createServer((client) => {
    const target = connect(targetPort, '127.0.0.1')
    for (const socket of [client, target]) {
      sockets.add(socket)
      // The proxy cuts connections on purpose.
      socket.on('error', () => undefined).once('close', () => sockets.delete(socket))
    }
    client.once('close', () => target.destroy())
    target.once('close', () => client.destroy())
    if (!isSwallowing) client.pipe(target).pipe(client)
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
    swallow() {
      isSwallowing = true
      for (const socket of sockets) socket.unpipe()
    },
    async mend() {
      isSwallowing = false
      destroyAll()
      if (!server.listening) await listen(port)
    },
  }
}
