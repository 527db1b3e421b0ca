// A node that breaks off while it answers a WebSocket handshake: the client gets one answer or a truncated one, and no
// connection is left.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type Edge, startEdge } from '../support/edge.ts'
import { HANDSHAKE, openRaw } from '../support/raw-connection.ts'
import { startTcpNode, type TcpNode } from '../support/tcp-node.ts'

const HEAD = 'HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\n'
/** A refusal without its last bytes, in each form of a body. */
const PARTS = {
  'with a length': `${HEAD}Content-Length: 10\r\n\r\nForb`,
  'in chunks': `${HEAD}Transfer-Encoding: chunked\r\n\r\na\r\nForb`,
}
const CUTS = {
  'closes the connection': (socket: Socket) => void socket.end(),
  'resets the connection': (socket: Socket) => void socket.resetAndDestroy(),
  'becomes silent': () => {},
}

/** A silent node is given up. The others need no limit. */
const TIMEOUTS_MS: Record<string, number> = { 'becomes silent': 1000 }

let edge: Edge
let node: TcpNode
afterEach(async () => {
  await edge.stop()
  await node.stop()
})

async function start(onHead: (socket: Socket, head: string) => void, timeoutMs = 5000): Promise<void> {
  node = await startTcpNode(onHead)
  edge = await startEdge({ node: node.address, upstream: { timeoutMs } })
}

/** Resolves when the edge has closed all of its connections to the node. */
async function nodeConnectionsClosed(): Promise<void> {
  for (const socket of node.sockets) await once(socket, 'close')
}

for (const [form, bytes] of Object.entries(PARTS)) {
  for (const [end, cut] of Object.entries(CUTS)) {
    test(`a refusal ${form} in which the node ${end} is truncated for the client`, async () => {
      await start((socket) => socket.write(bytes, () => cut(socket)), TIMEOUTS_MS[end])
      const answer = await openRaw(edge.url, HANDSHAKE).closed
      expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 403'])
      expect(answer).toContain('Forb')
      await nodeConnectionsClosed()
    })
  }

  test(`a client that goes away in a refusal ${form} takes the connection to the node along`, async () => {
    await start((socket) => void socket.write(bytes))
    const client = openRaw(edge.url, HANDSHAKE)
    await client.until('Forb')
    client.socket.resetAndDestroy()
    await nodeConnectionsClosed()
  })
}

for (const [end, cut] of Object.entries(CUTS)) {
  test(`without an answer, because the node ${end}, the client gets 502 on a connection that it may use again`, async () => {
    await start(
      (socket, head) =>
        head.includes('/emulation') ? socket.end('HTTP/1.1 204 x\r\nConnection: close\r\n\r\n') : cut(socket),
      TIMEOUTS_MS[end],
    )
    const client = openRaw(edge.url, HANDSHAKE)
    expect(await client.until('Bad Gateway\n')).toMatch(/^HTTP\/1\.1 502 /)
    client.socket.write('POST /emulation HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
    await client.until('HTTP/1.1 204')
    client.socket.destroy()
  })
}

for (const [how, leave] of Object.entries({ FIN: 'end', RST: 'resetAndDestroy' } as const)) {
  test(`a client that leaves with a ${how} before the answer takes the connection to the node along`, async () => {
    let onAsked = () => {}
    const asked = new Promise<void>((resolve) => {
      onAsked = resolve
    })
    await start(() => onAsked(), 1000)
    const client = openRaw(edge.url, HANDSHAKE)
    await asked
    client.socket[leave]()
    await client.closed
    await nodeConnectionsClosed()
  })
}
