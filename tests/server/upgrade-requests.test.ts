// Requests with an Upgrade header are answered as a node (v6.9.1) answers them, in their order on the connection.
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { generate } from 'selfsigned'
import { afterEach, describe, expect, test } from 'vitest'
import { EDGE_KEY, type Edge, type EdgeOptions, startEdge, startRawNode, type TestNode } from '../support/edge.ts'
import { formatRequest, HANDSHAKE, HANDSHAKE_LINES, openRaw, type RawConnection } from '../support/raw-connection.ts'

const WITHOUT_KEY = HANDSHAKE_LINES.filter((line) => !line.startsWith('Sec-WebSocket-Key'))
const REFUSED = formatRequest('GET /connection/websocket', WITHOUT_KEY)
const PLAIN = formatRequest('GET /connection/websocket', ['Host: x'])
const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\n'
/** More than the ten listeners of an event from which Node warns. */
const REFUSALS = 40
const MEBIBYTE = 1024 * 1024

let edge: Edge
let node: Omit<TestNode, 'requests'>
/** The requests that the node got, as method and Upgrade header. */
let asked: string[]
afterEach(async () => {
  await edge.stop()
  await node.stop()
})

/** Starts a node with a node's answers to handshakes. `onApi` answers requests of the API. */
async function start(
  options: EdgeOptions = {},
  onApi: (outgoing: ServerResponse) => void = (outgoing) => outgoing.end('{}'),
): Promise<void> {
  asked = []
  node = await startRawNode((incoming, outgoing) => {
    asked.push(`${incoming.method} ${incoming.headers.upgrade}`)
    if (incoming.url?.startsWith('/api')) onApi(outgoing)
    else outgoing.writeHead(400, { 'content-length': 12 }).end('Bad Request\n')
  })
  node.server.on('upgrade', ({ method, headers }: IncomingMessage, socket: Duplex) => {
    asked.push(`${method} ${headers.upgrade}`)
    socket.on('error', () => {}).resume()
    socket.once('end', () => socket.end())
    const refuse = (status: string) => {
      const body = `${status.slice(4)}\n`
      socket.write(`HTTP/1.1 ${status}\r\nSec-Websocket-Version: 13\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    }
    if (method !== 'GET') refuse('405 Method Not Allowed')
    else if (headers['sec-websocket-key'] === undefined) refuse('400 Bad Request')
    else socket.write(`${SWITCHED}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello`)
  })
  edge = await startEdge({ node: node.address, ...options })
}

/** The status lines that arrived so far. */
function statuses({ text }: RawConnection): string[] {
  return text.match(/HTTP\/1\.1 \d+/g)?.map((line) => line.slice(9)) ?? []
}

test.each([
  ['names another protocol too', ['Connection: Upgrade', 'Upgrade: h2c, websocket']],
  ['names it in another line and case', ['Connection: keep-alive, upgrade', 'Upgrade: h2c', 'Upgrade: WebSocket']],
])('a handshake whose Upgrade header %s is accepted', async (_, lines) => {
  await start()
  const rest = HANDSHAKE_LINES.filter((line) => !/^(connection|upgrade):/i.test(line))
  const client = openRaw(edge.url, formatRequest('GET /connection/websocket', [...lines, ...rest]))
  expect(await client.until('hello')).toContain(SWITCHED)
  expect(asked).toEqual(['GET websocket'])
})

test.each([
  ['a length', 'Content-Length: 3', 'abc'],
  ['chunks', 'Transfer-Encoding: chunked', '3\r\nabc\r\n0\r\n\r\n'],
])('a POST with an upgrade and a body with %s is refused, and the next request is answered', async (_, line, body) => {
  await start()
  const post = formatRequest('POST /connection/websocket', [...HANDSHAKE_LINES, line], body)
  const client = openRaw(edge.url, post + PLAIN)
  await client.until('Bad Request\n')
  expect(statuses(client)).toEqual(['405', '400'])
  expect(asked.sort()).toEqual(['GET undefined', 'POST websocket'])
})

test('an upgrade is not asked for when the Connection header does not name it', async () => {
  await start()
  const lines = HANDSHAKE_LINES.filter((line) => !line.startsWith('Connection'))
  const client = openRaw(edge.url, formatRequest('POST /connection/websocket', [...lines, 'Content-Length: 0']))
  await client.until('Bad Request\n')
  expect(asked).toEqual(['POST undefined'])
})

test('a handshake with a body is closed without an answer, after the answer to the request before it', async () => {
  await start()
  const handshake = formatRequest('GET /connection/websocket', [...HANDSHAKE_LINES, 'Content-Length: 3'], 'abc')
  const client = openRaw(edge.url, PLAIN + handshake)
  await client.closed
  expect(statuses(client)).toEqual(['400'])
})

test('a node that switches protocols for a POST gets no client: the client gets 502', async () => {
  await start()
  node.server.removeAllListeners('upgrade').on('upgrade', (_, socket: Duplex) => {
    socket.on('error', () => {}).resume()
    socket.once('end', () => socket.end())
    socket.write(`${SWITCHED}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n`)
  })
  const client = openRaw(
    edge.url,
    formatRequest('POST /connection/websocket', [...HANDSHAKE_LINES, 'Content-Length: 0']),
  )
  await client.until('Bad Gateway')
  expect(statuses(client)).toEqual(['502'])
})

test('after refused handshakes the connection takes requests and, at last, a WebSocket', async () => {
  const warnings: Error[] = []
  const onWarning = (warning: Error) => void warnings.push(warning)
  process.on('warning', onWarning)
  await start()
  const client = openRaw(edge.url, REFUSED + PLAIN)
  for (let count = 2; count < REFUSALS; count++) {
    while (statuses(client).length < count) await client.next()
    client.socket.write(REFUSED)
  }
  client.socket.write(HANDSHAKE)
  await client.until('hello')
  expect(statuses(client)).toEqual([...Array(REFUSALS).fill('400'), '101'])
  process.off('warning', onWarning)
  // A listener that is added by each request and not removed.
  expect(warnings).toEqual([])
})

test('a client that asks for it gets its connection closed after a refusal', async () => {
  await start()
  const lines = WITHOUT_KEY.map((line) => (line.startsWith('Connection') ? 'Connection: Upgrade, close' : line))
  expect(await openRaw(edge.url, formatRequest('GET /connection/websocket', lines)).closed).toContain('close\r\n')
})

describe('after a request that is not answered yet', () => {
  const publish = formatRequest('POST /api/publish', ['Host: x', `X-API-Key: ${EDGE_KEY}`, 'Content-Length: 2'], '{}')
  const offer = 'Connection: Upgrade\r\nUpgrade: h2c'
  const offering = publish.replace('Host: x', `Host: x\r\n${offer}`)

  test.each([
    ['a handshake', HANDSHAKE, 'hello', ['200', '200', '101']],
    ['a refused handshake and another request', REFUSED + PLAIN, 'Bad Request\n', ['200', '200', '400', '400']],
    ['a request that offers another protocol', offering + PLAIN, 'Bad Request\n', ['200', '200', '200', '400']],
  ])('%s is answered in its turn', async (_, requests, end, expected) => {
    const open: ServerResponse[] = []
    await start({}, (outgoing) => {
      open.push(outgoing)
      // The second answer is there before the first one.
      if (open.length === 2) for (const answer of open.reverse()) answer.end('{}')
      if (open.length > 2) outgoing.end('{}')
    })
    const client = openRaw(edge.url, publish + publish + requests)
    await client.until(end)
    while (statuses(client).length < expected.length) await client.next()
    expect(statuses(client)).toEqual(expected)
  })

  test('a large answer is complete before the handshake, also for a client that reads slowly', async () => {
    const large = 'x'.repeat(2 * MEBIBYTE)
    await start({}, (outgoing) => outgoing.writeHead(200, { 'content-length': large.length }).end(large))
    const client = openRaw(edge.url, publish + publish + HANDSHAKE)
    client.socket.pause()
    setTimeout(() => client.socket.resume(), 100)
    const text = await client.until('hello')
    expect(text.split('x').length - 1).toBeGreaterThanOrEqual(2 * large.length)
    expect(statuses(client)).toEqual(['200', '200', '101'])
  })
})

test('a handshake over TLS is refused and accepted on one connection', async () => {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048 })
  await start({ tls: { section: 'http_server.tls', certPem: cert, keyPem: key, clientCaPem: '' } })
  const client = openRaw(edge.url, REFUSED + HANDSHAKE)
  await client.until('hello')
  expect(statuses(client)).toEqual(['400', '101'])
})

test('a stopping server closes the connection after a refusal', async () => {
  await start()
  node.server.removeAllListeners('upgrade')
  const open: ServerResponse[] = []
  node.server.removeAllListeners('request').on('request', (_, outgoing: ServerResponse) => void open.push(outgoing))
  const client = openRaw(edge.url, PLAIN)
  while (open.length === 0) await once(node.server, 'request')
  const stopped = edge.stop(60_000)
  client.socket.write(REFUSED)
  open[0]?.end()
  while (open.length === 1) await once(node.server, 'request')
  open[1]?.writeHead(403).end()
  expect((await client.closed).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 403'])
  await stopped
})
