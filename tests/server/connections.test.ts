// The connection endpoints are passed on to the node: WebSocket, SSE, HTTP streaming, emulation.
import { type EventEmitter, once } from 'node:events'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, test } from 'vitest'
import { EDGE_KEY, type Edge, startEdge, startRawNode } from '../support/edge.ts'
import { sendRaw } from '../support/raw-request.ts'

let edge: Edge
let node: Awaited<ReturnType<typeof startRawNode>>
let clients: (Socket | IncomingMessage)[] = []
afterEach(async () => {
  for (const client of clients) client.destroy()
  clients = []
  await edge.stop()
  await node.stop()
})

async function start(onRequest: (incoming: IncomingMessage, outgoing: ServerResponse) => void): Promise<void> {
  node = await startRawNode(onRequest)
  // One connection for the API, so a client that used it would block the API.
  edge = await startEdge({ node: node.address, upstream: { maxConnections: 1, timeoutMs: 300 } })
}

/** Starts a request to an endpoint. Resolves when the headers of the answer have arrived. */
async function openStream(path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const { hostname, port } = new URL(edge.url)
  const outgoing = request({ host: hostname, port, path, headers, agent: false }).end()
  const [incoming]: IncomingMessage[] = await once(outgoing, 'response')
  if (!incoming) throw new Error('no answer received')
  incoming.on('error', () => {})
  clients.push(incoming)
  return incoming
}

/** Sends bytes on a new connection. */
async function openSocket(bytes: string): Promise<Socket> {
  const { hostname, port } = new URL(edge.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  clients.push(socket)
  await once(socket, 'connect')
  socket.write(bytes)
  return socket
}

async function readUntil(socket: EventEmitter, end: string): Promise<string> {
  let text = ''
  while (!text.includes(end)) {
    const [data]: unknown[] = await once(socket, 'data')
    text += String(data)
  }
  return text
}

const UPGRADE = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\nOrigin: https://app.example\r\n'

describe('SSE', () => {
  test('passes headers except a key to the node, and each event to the client, also after silence', async () => {
    let stream: ServerResponse | undefined
    let asked: IncomingMessage | undefined
    await start((incoming, outgoing) => {
      stream = outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
      asked = incoming
      outgoing.flushHeaders()
    })
    const incoming = await openStream('/connection/uni_sse?cf_connect=%7B%7D', { authorization: 'Bearer own' })
    expect(incoming.headers['content-type']).toBe('text/event-stream')
    expect(asked).toMatchObject({
      url: '/connection/uni_sse?cf_connect=%7B%7D',
      headers: { authorization: 'Bearer own', host: new URL(edge.url).host },
    })
    expect(asked?.headers['x-api-key']).toBeUndefined()
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      stream?.write(event)
      expect(await readUntil(incoming, '\n\n')).toBe(event)
    }
  })

  test('uses no connection of the API', async () => {
    await start((incoming, outgoing) => {
      outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
      if (incoming.url === '/api/publish') outgoing.end('{}')
      else outgoing.flushHeaders()
    })
    await Promise.all([openStream('/connection/uni_sse'), openStream('/connection/sse')])
    const { status } = await sendRaw({ url: edge.url, path: '/api/publish', headers: { 'x-api-key': EDGE_KEY } })
    expect(status).toBe(200)
  })

  test('ends in the node when the client closes its connection', async () => {
    let onCut = () => {}
    const cut = new Promise<void>((resolve) => {
      onCut = resolve
    })
    await start((_, outgoing) => {
      outgoing.once('close', onCut)
      outgoing.writeHead(200).flushHeaders()
    })
    const incoming = await openStream('/connection/uni_sse')
    incoming.destroy()
    await cut
  })
})

test('emulation passes its body on', async () => {
  await start((incoming, outgoing) => incoming.pipe(outgoing))
  const { body } = await sendRaw({ url: edge.url, path: '/emulation', body: '{"session":"s"}' })
  expect(body.toString()).toBe('{"session":"s"}')
})

describe('WebSocket', () => {
  async function startWebSocketNode(): Promise<{ asked: Promise<IncomingMessage> }> {
    await start((_, outgoing) => outgoing.writeHead(403, { 'x-why': 'origin' }).end('forbidden'))
    const asked = new Promise<IncomingMessage>((resolve) => {
      node.server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
        socket.on('error', () => {})
        resolve(incoming)
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n')
        socket.write('Sec-WebSocket-Accept: a\r\n\r\nhello')
        socket.write(head)
        socket.pipe(socket)
      })
    })
    return { asked }
  }

  test('passes the handshake, then bytes in both directions, including those sent with the handshake', async () => {
    const { asked } = await startWebSocketNode()
    const socket = await openSocket(
      `GET /connection/websocket?x=1 HTTP/1.1\r\nHost: app.example\r\n${UPGRADE}\r\nearly`,
    )
    const answer = await readUntil(socket, 'helloearly')
    expect(answer).toMatch(/^HTTP\/1\.1 101 /)
    expect(answer.toLowerCase()).toContain('sec-websocket-accept: a\r\n')
    expect(await asked).toMatchObject({
      url: '/connection/websocket?x=1',
      headers: { host: 'app.example', origin: 'https://app.example', 'sec-websocket-key': 'k' },
    })
    socket.write('ping')
    expect(await readUntil(socket, 'ping')).toBe('ping')
  })

  test('is closed on both sides when one closes', async () => {
    const { asked } = await startWebSocketNode()
    const socket = await openSocket(`GET /connection/websocket HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n`)
    await readUntil(socket, 'hello')
    const { socket: nodeSocket } = await asked
    const closed = once(nodeSocket, 'close')
    socket.destroy()
    await closed
  })

  test('passes a refusal of the node to the client', async () => {
    await start((_, outgoing) => outgoing.writeHead(403, { 'x-why': 'origin' }).end('forbidden'))
    const socket = await openSocket(`GET /connection/websocket HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n`)
    const answer = await readUntil(socket, 'forbidden')
    expect(answer).toMatch(/^HTTP\/1\.1 403 /)
    expect(answer).toContain('x-why: origin\r\n')
  })

  test('answers 502 when the node is not reachable', async () => {
    await start(() => {})
    await node.stop()
    const socket = await openSocket(`GET /connection/websocket HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n`)
    expect(await readUntil(socket, '\r\n\r\n')).toMatch(/^HTTP\/1\.1 502 /)
  })

  test('is ignored on other paths, which answer without an upgrade', async () => {
    await start(() => {})
    const socket = await openSocket(`GET /connection/../api/publish HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n`)
    expect(await readUntil(socket, '\r\n\r\n')).toContain('location: /api/publish\r\n')
  })
})

test('an API request that offers h2c, as Java’s client does, is answered', async () => {
  await start((incoming, outgoing) => incoming.pipe(outgoing))
  const upgrade = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n'
  const head = `POST /api/publish HTTP/1.1\r\nHost: x\r\n${upgrade}`
  const socket = await openSocket(`${head}X-API-Key: ${EDGE_KEY}\r\nContent-Length: 12\r\n\r\n{"first":1`)
  socket.write('}\n')
  expect(await readUntil(socket, '{"first":1}\n')).toMatch(/^HTTP\/1\.1 200 /)
})
