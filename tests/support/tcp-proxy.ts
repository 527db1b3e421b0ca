import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A proxy between a client and a server, which can break their connections. */
export interface TcpProxy {
  port: number
  /** Closes all connections and refuses new ones. */
  cut(): Promise<void>
  /** Drops all data without closing a connection, as a firewall does that has lost the connection's state. */
  swallow(): void
  /** Closes the broken connections and accepts new ones. */
  mend(): Promise<void>
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let isSwallowing = false
  const server = createServer((client) => {
    const target = connect(targetPort, '127.0.0.1')
    for (const socket of [client, target]) {
      sockets.add(socket)
      // A closed connection is expected here.
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
