// Heads have up to 64 KiB, and those of SSE up to 1 MiB, because a URL of SSE carries a command.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { answerWith, EDGE_KEY, type Edge, startEdge, startNode, type TestNode } from '../support/edge.ts'
import { exchange, parseResponses } from '../support/raw-exchange.ts'

const TOO_LARGE = { status: 431, body: '431 Request Header Fields Too Large\n' }

let edge: Edge
let node: TestNode
beforeEach(async () => {
  node = await startNode((_, outgoing) => answerWith(outgoing, '{}'))
  const paths = {
    connections: ['/events'],
    sse: ['/connection/sse', '/connection/uni_sse', '/events'],
    admin: undefined,
  }
  edge = await startEdge({ node: node.address, upstream: { paths } })
})
afterEach(async () => {
  await edge.stop()
  await node.stop()
})

/** Sends a request with a head of about `bytes`, most of them in the URL or in a header. */
async function send(method: string, path: string, bytes: number, place: 'query' | 'path' | 'header') {
  const long = 'x'.repeat(bytes)
  const rest = { query: `?cf_connect=${long}`, path: `/${long}`, header: '' }[place]
  const header = place === 'header' ? `X-Long: ${long}\r\n` : ''
  const own = `Host: x\r\nX-API-Key: ${EDGE_KEY}\r\nConnection: close\r\nContent-Length: 0\r\n`
  const answer = await exchange(edge.url, `${method} ${path}${rest} HTTP/1.1\r\n${own}${header}\r\n`)
  return parseResponses(answer)[0]
}

test.each([
  ['GET', '/connection/sse', 1024 * 1024, 'query'],
  ['GET', '/connection/uni_sse', 200_000, 'query'],
  ['GET', '/events', 200_000, 'query'],
  ['GET', '/connection/sse', 200_000, 'header'],
  ['POST', '/api/publish', 60_000, 'header'],
  ['POST', '/emulation', 60_000, 'query'],
] as const)('%s %s with %i bytes in the %s is served', async (method, path, bytes, place) => {
  expect((await send(method, path, bytes, place))?.status).toBe(200)
  expect(node.requests).toMatchObject([{ method, url: expect.stringContaining(path) }])
  expect(
    String(node.requests[0]?.url).length + String(node.requests[0]?.headers['x-long'] ?? '').length,
  ).toBeGreaterThan(bytes)
})

test.each([
  ['POST', '/api/publish', 70_000, 'header'],
  ['POST', '/connection/sse', 70_000, 'query'],
  ['GET', '/connection/ssx', 70_000, 'query'],
  ['GET', '/connection/sse', 70_000, 'path'],
  ['GET', '/connection/http_stream', 1024 * 1024, 'query'],
  ['GET', '/unknown', 1024 * 1024, 'header'],
] as const)(
  '%s %s with %i bytes in the %s is 431, and its connection is closed',
  async (method, path, bytes, place) => {
    expect(await send(method, path, bytes, place)).toMatchObject(TOO_LARGE)
    expect(node.requests).toEqual([])
  },
)

test('a WebSocket handshake with a long head is 431', async () => {
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n'
  const bytes = `GET /connection/websocket HTTP/1.1\r\nHost: x\r\n${upgrade}X-Long: ${'x'.repeat(70_000)}\r\n\r\n`
  expect(parseResponses(await exchange(edge.url, bytes))).toMatchObject([TOO_LARGE])
})
