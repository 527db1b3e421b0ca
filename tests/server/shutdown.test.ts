import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { EDGE_KEY, startEdge, startRawNode } from '../support/edge.ts'

/** Longer than the time limit of a test, so a test that waits for it fails. */
const LONG_MS = 600_000

test('lets a request in flight finish, and then closes a connection that the client would keep alive', async () => {
  let finish = () => {}
  let onCalled = () => {}
  const called = new Promise<void>((resolve) => {
    onCalled = resolve
  })
  const cancel_push = () =>
    new Promise<object>((resolve) => {
      finish = () => resolve({})
      onCalled()
    })
  const edge = await startEdge({ handlers: { cancel_push } })
  const agent = new Agent({ keepAlive: true })
  const headers = { 'x-api-key': EDGE_KEY }
  const outgoing = request(`${edge.url}/api/cancel_push`, { method: 'POST', headers, agent }).end('{}')
  await called
  const stopped = edge.stop(LONG_MS)
  finish()
  const [incoming]: IncomingMessage[] = await once(outgoing, 'response')
  expect(incoming && (await text(incoming))).toBe('{"result":{}}')
  await stopped
  agent.destroy()
})

test('closes connections of requests that do not finish in time', async () => {
  const edge = await startEdge({ handlers: { cancel_push: () => new Promise<object>(() => {}) } })
  const headers = { 'x-api-key': EDGE_KEY }
  const outgoing = request(`${edge.url}/api/cancel_push`, { method: 'POST', headers, agent: false }).end('{}')
  const failed = once(outgoing, 'error')
  await once(outgoing, 'socket').then(([socket]) => once(socket, 'connect'))
  await edge.stop(50)
  await failed
})

test('disconnects WebSocket clients and streams at once, so that they reconnect elsewhere', async () => {
  const node = await startRawNode((_, outgoing) => outgoing.writeHead(200).flushHeaders())
  node.server.on('upgrade', (_, socket: Duplex) => {
    socket.on('error', () => {}).resume()
    socket.once('end', () => socket.end())
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  })
  const edge = await startEdge({ node: node.address })
  const { hostname, port } = new URL(edge.url)
  const webSocket = connect(Number(port), hostname)
  webSocket.on('error', () => {})
  webSocket.write('GET /connection/websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  await once(webSocket, 'data')
  const stream = request(`${edge.url}/connection/uni_sse`, { agent: false }).end()
  const [incoming]: IncomingMessage[] = await once(stream, 'response')
  // The answer must end with an error, because it is truncated.
  incoming?.on('error', () => {}).resume()
  const cut = Promise.all(
    [webSocket, incoming].map((client) => new Promise((resolve) => client?.once('close', resolve))),
  )
  await edge.stop(LONG_MS)
  await cut
  await node.stop()
})
