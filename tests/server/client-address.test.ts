// The client's address in requests to the node. The node gives it to its log and to its backends, so no client may
// choose it.
import { afterEach, expect, test } from 'vitest'
import { answerWith, EDGE_KEY, type Edge, startEdge, startNode, type TestNode } from '../support/edge.ts'
import { exchange } from '../support/raw-exchange.ts'
import { sendRaw } from '../support/raw-request.ts'

let edge: Edge
let node: TestNode
afterEach(async () => {
  await edge.stop()
  await node.stop()
})

/** Sends a request from 127.0.0.1, through a server with these trusted proxies, and returns the node's headers. */
async function addressesFor(headers: Record<string, string | string[]>, trustedProxies: string[] = []) {
  node = await startNode((_, outgoing) => answerWith(outgoing, '{}'))
  edge = await startEdge({ node: node.address, upstream: { trustedProxies } })
  await sendRaw({ url: edge.url, path: '/emulation', headers })
  return addressesOf(0)
}

function addressesOf(index: number): [unknown, unknown] {
  const headers = node.requests[index]?.headers
  return [headers?.['x-forwarded-for'], headers?.['x-real-ip']]
}

const LOCAL = ['127.0.0.0/8']

test('is that of the connection, whatever headers an untrusted client sends', async () => {
  const forged = { 'X-Forwarded-For': ['1.1.1.1', '2.2.2.2'], 'X-Real-IP': '3.3.3.3', connection: 'X-Real-IP' }
  expect(await addressesFor(forged, ['10.0.0.0/8'])).toEqual(['127.0.0.1', '127.0.0.1'])
})

test.each([
  ['its X-Real-IP', { 'x-forwarded-for': '1.1.1.1', 'x-real-ip': '2.2.2.2' }, '1.1.1.1, 127.0.0.1', '2.2.2.2'],
  ['without X-Real-IP, its X-Forwarded-For', { 'x-forwarded-for': '1.1.1.1' }, '1.1.1.1, 127.0.0.1', '1.1.1.1'],
  ['an address of IPv6', { 'x-forwarded-for': '2001:db8::7' }, '2001:db8::7, 127.0.0.1', '2001:db8::7'],
  [
    'the last that no trusted proxy has',
    { 'x-forwarded-for': '6.6.6.6, 1.1.1.1, 10.9.9.9' },
    '6.6.6.6, 1.1.1.1, 10.9.9.9, 127.0.0.1',
    '1.1.1.1',
  ],
  ['two headers as one list', { 'X-Forwarded-For': ['6.6.6.6', '1.1.1.1'] }, '6.6.6.6, 1.1.1.1, 127.0.0.1', '1.1.1.1'],
  [
    'an X-Real-IP with two values not',
    { 'X-Real-IP': ['6.6.6.6', '7.7.7.7'], 'x-forwarded-for': '1.1.1.1' },
    '1.1.1.1, 127.0.0.1',
    '1.1.1.1',
  ],
  [
    'an X-Real-IP that is no address not',
    { 'x-real-ip': 'localhost', 'x-forwarded-for': '1.1.1.1' },
    '1.1.1.1, 127.0.0.1',
    '1.1.1.1',
  ],
  [
    'entries before one that is no address not',
    { 'x-forwarded-for': '1.1.1.1, unknown, 10.9.9.9' },
    '1.1.1.1, unknown, 10.9.9.9, 127.0.0.1',
    '10.9.9.9',
  ],
  ['nothing when it says nothing', {}, '127.0.0.1', '127.0.0.1'],
])('a trusted proxy is believed: %s', async (_, headers, forwardedFor, realIp) => {
  expect(await addressesFor(headers, [...LOCAL, '10.0.0.0/8'])).toEqual([forwardedFor, realIp])
})

test('is passed with API requests and WebSocket handshakes too', async () => {
  const forged = { 'x-forwarded-for': '1.1.1.1', 'x-real-ip': '1.1.1.1' }
  await addressesFor(forged)
  await sendRaw({ url: edge.url, path: '/api/publish', headers: { ...forged, 'x-api-key': EDGE_KEY } })
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nX-Real-IP: 1.1.1.1\r\n'
  await exchange(edge.url, `GET /connection/websocket HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`, true)
  const own = ['127.0.0.1', '127.0.0.1']
  expect([addressesOf(0), addressesOf(1), addressesOf(2)]).toEqual([own, own, own])
  expect(node.requests.map(({ url }) => url)).toEqual(['/emulation', '/api/publish', '/connection/websocket'])
})
