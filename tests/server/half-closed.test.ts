// Clients that close their side of the connection and wait for the answer. A client that closes its whole connection
// gives the server the same signal.
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import { generate } from 'selfsigned'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EDGE_KEY, type Edge, type EdgeOptions, startEdge, startRawNode } from '../support/edge.ts'
import { exchange, parseResponses } from '../support/raw-exchange.ts'

let edge: Edge
let node: Awaited<ReturnType<typeof startRawNode>>
afterEach(async () => {
  await edge.stop()
  await node.stop()
})

async function start(
  onRequest: (incoming: IncomingMessage, outgoing: ServerResponse) => void,
  options: EdgeOptions = {},
): Promise<void> {
  node = await startRawNode(onRequest)
  edge = await startEdge({ node: node.address, ...options })
}

const ask = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`
const post = (path: string) =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${EDGE_KEY}\r\nContent-Length: 2\r\n\r\n{}`

/** A promise, and the function that fulfils it. */
function makeSignal(): { happened: Promise<void>; signal: () => void } {
  let signal = () => {}
  const happened = new Promise<void>((resolve) => {
    signal = resolve
  })
  return { happened, signal }
}

describe('a stream', () => {
  let ended: Promise<void>
  let signal: () => void
  beforeEach(() => {
    ;({ happened: ended, signal } = makeSignal())
  })
  const stream = (_: IncomingMessage, outgoing: ServerResponse) => {
    outgoing.once('close', signal).writeHead(200, { 'content-type': 'text/event-stream' })
    outgoing.write('data: 1\n\n')
  }

  test('ends complete, with the data that the node had, and ends in the node', async () => {
    await start(stream)
    const answer = await exchange(edge.url, ask('/connection/sse'), true)
    expect(parseResponses(answer)).toMatchObject([{ status: 200, body: 'data: 1\n\n' }])
    await ended
  })

  test('ends when the client closes its side later', async () => {
    await start(stream)
    const socket = connect({ port: Number(new URL(edge.url).port), host: '127.0.0.1', allowHalfOpen: true })
    socket.write(ask('/connection/sse'))
    await once(socket, 'data')
    socket.end().resume()
    await Promise.all([ended, once(socket, 'end')])
  })

  test('of a pipeline ends too, without warnings about listeners', async () => {
    const warnings: Error[] = []
    const onWarning = (warning: Error) => void warnings.push(warning)
    process.on('warning', onWarning)
    await start(stream)
    const answer = await exchange(edge.url, ask('/connection/sse').repeat(15), true)
    expect(parseResponses(answer)).toHaveLength(15)
    process.off('warning', onWarning)
    expect(warnings).toEqual([])
  })
})

test('an answer of the API that begins after the close is complete, however long it takes', async () => {
  const { happened: asked, signal } = makeSignal()
  let finish = () => {}
  await start((_, outgoing) => {
    finish = () => outgoing.end(' {"result":{}}')
    outgoing.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
    signal()
  })
  const answer = exchange(edge.url, post('/api/publish'), true)
  await asked
  // Longer than a stream would last.
  setTimeout(() => finish(), 300)
  expect(parseResponses(await answer)).toMatchObject([{ status: 200, body: ' {"result":{}}' }])
})

test('a client with TLS is answered too', async () => {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048 })
  await start((_, outgoing) => outgoing.end('{}'), {
    tls: { section: 'http_server.tls', certPem: cert, keyPem: key, clientCaPem: '' },
  })
  const port = Number(new URL(edge.url).port)
  const raw = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const socket = connectTls({ socket: raw, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  socket.end(post('/api/publish'))
  expect(String(await buffer(socket))).toMatch(/^HTTP\/1\.1 200 /)
})

test('the end within a request is answered with 400', async () => {
  await start((_, outgoing) => outgoing.end())
  expect(await exchange(edge.url, 'POST /api/publish HTTP/1.1\r\nHost: x', true)).toMatch(/^HTTP\/1\.1 400 /)
  expect(await exchange(edge.url, `${post('/api/publish').slice(0, -1)}`, true)).toMatch(/^HTTP\/1\.1 400 /)
})

test('an idle connection is closed', async () => {
  await start((_, outgoing) => outgoing.end('{}'))
  const socket = connect({ port: Number(new URL(edge.url).port), host: '127.0.0.1', allowHalfOpen: true })
  socket.write(post('/api/publish'))
  await once(socket, 'data')
  socket.end()
  await once(socket, 'end')
})
