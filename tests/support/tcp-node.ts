import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

/** A node for a test that writes the bytes of its answers. */
export interface TcpNode {
  /** Base URL. */
  address: string
  /** Its open connections. */
  sockets: ReadonlySet<Socket>
  stop(): Promise<void>
}

/** Starts a node that calls `onHead` with the first bytes of each connection, which contain the head of a request. */
export async function startTcpNode(onHead: (socket: Socket, head: string) => void): Promise<TcpNode> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    // Connections are cut on purpose.
    socket.on('error', () => {}).once('close', () => sockets.delete(socket))
    socket.once('data', (head) => onHead(socket, head.toString('latin1')))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const bound = server.address()
  const stop = async () => {
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  }
  // A server that listens on TCP has this type of address.
  return { address: `http://127.0.0.1:${typeof bound === 'object' && bound ? bound.port : 0}`, sockets, stop }
}
