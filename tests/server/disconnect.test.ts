// A server that stops disconnects its clients in slices, and WebSocket clients as a node that shuts down does.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { afterEach, expect, test } from 'vitest'
import { type Edge, startEdge, startRawNode, type TestNode } from '../support/edge.ts'
import { formatRequest, HANDSHAKE, openRaw, type RawConnection } from '../support/raw-connection.ts'

/** Code 3001, reason "shutdown". */
const CLOSE_FRAME = '\x88\x0a\x0b\xb9shutdown'
/** A text frame with 300 bytes. */
const FRAME = `\x81\x7e\x01\x2c${'x'.repeat(300)}`
/** Longer than the time limit of a test. */
const LONG_MS = 600_000

let edge: Edge
let node: Omit<TestNode, 'requests'>
/** The node's ends of the WebSockets, and its answers to the other requests. */
let sockets: Duplex[]
let answers: ServerResponse[]
afterEach(async () => {
  await edge.stop()
  await node.stop()
})

async function start(): Promise<void> {
  sockets = []
  answers = []
  node = await startRawNode((incoming, outgoing) => {
    answers.push(outgoing)
    if (incoming.url === '/connection/uni_sse') outgoing.writeHead(200).flushHeaders()
  })
  node.server.on('upgrade', (_, socket: Duplex) => {
    sockets.push(socket)
    socket.on('error', () => {}).resume()
    socket.once('end', () => socket.end())
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  })
  edge = await startEdge({ node: node.address })
}

async function openWebSocket(): Promise<RawConnection> {
  const client = openRaw(edge.url, HANDSHAKE)
  await client.until('\r\n\r\n')
  return client
}

/** All that a client received on its WebSocket until it was closed. */
async function readToEnd(client: RawConnection): Promise<string> {
  return (await client.closed).split('\r\n\r\n')[1] ?? ''
}

test('a WebSocket client gets the close frame at once, and the node sees the client go', async () => {
  await start()
  const client = await openWebSocket()
  sockets[0]?.write(FRAME, 'latin1')
  await client.until(FRAME)
  const nodeClosed = once(sockets[0] ?? node.server, 'close')
  await edge.stop(LONG_MS)
  expect(await readToEnd(client)).toBe(FRAME + CLOSE_FRAME)
  await nodeClosed
})

test.each([1, 3, 4, 200])(
  'after %d bytes of a frame, the client gets the rest of it before the close frame',
  async (cut) => {
    await start()
    const client = await openWebSocket()
    sockets[0]?.write(FRAME + FRAME.slice(0, cut), 'latin1')
    await client.until(FRAME + FRAME.slice(0, cut))
    const stopped = edge.stop(LONG_MS)
    sockets[0]?.write(FRAME.slice(cut) + FRAME, 'latin1')
    await stopped
    expect(await readToEnd(client)).toBe(FRAME + FRAME + CLOSE_FRAME)
  },
)

test('a client whose frame never ends is disconnected after the grace period', async () => {
  await start()
  const client = await openWebSocket()
  sockets[0]?.write(FRAME.slice(0, 100), 'latin1')
  await client.until(FRAME.slice(0, 100))
  await edge.stop(300)
  expect(await readToEnd(client)).toBe(FRAME.slice(0, 100))
})

test('a client that does not close its connection, and one that does not read, are cut off', async () => {
  await start()
  const [deaf, mute] = [await openWebSocket(), await openWebSocket()]
  deaf.socket.pause()
  mute.socket.removeAllListeners('end')
  await edge.stop(300)
  deaf.socket.resume()
  await Promise.all([deaf.closed, mute.closed])
})

test('clients are disconnected in slices, and requests in flight are answered', async () => {
  await start()
  const clients = [
    ...(await Promise.all(Array.from({ length: 40 }, openWebSocket))),
    ...Array.from({ length: 20 }, () => openRaw(edge.url, formatRequest('GET /connection/uni_sse', ['Host: x']))),
  ]
  await Promise.all(clients.map((client) => client.until('\r\n\r\n')))
  const emulation = openRaw(edge.url, formatRequest('POST /emulation', ['Host: x', 'Content-Length: 0']))
  while (answers.length < 21) await once(node.server, 'request')
  const startedAtMs = performance.now()
  const timesMs = clients.map(({ closed }) => closed.then(() => performance.now() - startedAtMs))
  const stopped = edge.stop(LONG_MS, 1000)
  const closedAtMs = (await Promise.all(timesMs)).sort((a, b) => a - b)
  answers.at(-1)?.writeHead(204).end()
  expect(await emulation.closed).toContain('HTTP/1.1 204')
  await stopped
  // Each tenth of the clients has about a tenth of the time.
  expect(closedAtMs[6]).toBeLessThan(600)
  expect(closedAtMs[54]).toBeGreaterThan(600)
})

test('a client that connects while others are disconnected gets the close frame too', async () => {
  await start()
  // On an accepted connection, because no others are accepted.
  const late = openRaw(edge.url, formatRequest('GET /connection/unknown', ['Host: x']))
  while (answers.length === 0) await once(node.server, 'request')
  const stopped = edge.stop(LONG_MS)
  late.socket.write(HANDSHAKE)
  answers[0]?.end()
  expect(await late.closed).toContain(CLOSE_FRAME)
  await stopped
})
