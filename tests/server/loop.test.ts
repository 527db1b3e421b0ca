// upstream.address leads to centripush itself, directly or through another server.
import { createServer, type IncomingMessage, request } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Logger, makeLogger } from '../../src/observability/log.ts'
import { findFreePort } from '../support/centripush-process.ts'
import { EDGE_KEY, type Edge, listenAsNode, startEdge } from '../support/edge.ts'
import { exchange } from '../support/raw-exchange.ts'
import { sendRaw } from '../support/raw-request.ts'

let edge: Edge
let between: Awaited<ReturnType<typeof listenAsNode>>
/** The requests that arrived at the server between. */
let passed: string[] = []
let errors: unknown[] = []

/** Starts the edge and a server between: the upstream of the edge, which passes all requests back to the edge. */
beforeEach(async () => {
  const port = await findFreePort()
  passed = []
  errors = []
  const server = createServer((incoming, outgoing) => {
    passed.push(incoming.url ?? '')
    const { method, url, headers } = incoming
    const onward = request({ host: '127.0.0.1', port, method, path: url, headers }, (answer: IncomingMessage) => {
      outgoing.writeHead(answer.statusCode ?? 0, answer.headers)
      answer.pipe(outgoing)
    })
    incoming.pipe(onward)
  })
  between = await listenAsNode(server)
  const logger: Logger = makeLogger({ level: 'none', file: '' })
  logger.error = (...line: unknown[]) => void errors.push(line)
  edge = await startEdge({ port, node: between.address, upstream: { apiKey: EDGE_KEY }, logger })
})
afterEach(async () => {
  await edge.stop()
  await between.stop()
})

const publish = (headers: Record<string, string> = {}) =>
  sendRaw({ url: edge.url, path: '/api/publish', headers: { 'x-api-key': EDGE_KEY, ...headers }, body: '{}' })

test('a publish is answered with 508 and the mend, after one way round', async () => {
  const { status, body } = await publish()
  expect([status, body.toString()]).toEqual([
    508,
    'upstream.address leads back to centripush itself: set it to the address of the Centrifugo node\n',
  ])
  expect(passed).toEqual(['/api/publish'])
})

test('an entry of another proxy in Via is no loop, and is kept', async () => {
  expect((await publish({ via: '1.1 centripush-0123456789abcdef, 2 edge.example' })).status).toBe(508)
  expect(passed).toHaveLength(1)
})

test('many requests cause one line of the log a minute', async () => {
  await Promise.all(Array.from({ length: 20 }, () => publish()))
  expect(passed).toHaveLength(20)
  expect(errors).toMatchObject([
    [{ cause: expect.stringContaining('upstream.address') }, 'upstream: requests come back, refused'],
  ])
})

test.each(['/connection/sse', '/connection/websocket', '/emulation'])('%s is answered with 508', async (path) => {
  expect((await sendRaw({ url: edge.url, method: 'GET', path })).status).toBe(508)
  expect(passed).toEqual([path])
})

test('a WebSocket handshake is answered with 508', async () => {
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n'
  const answer = await exchange(edge.url, `GET /connection/websocket HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`, true)
  expect(answer).toMatch(/^HTTP\/1\.1 508 /)
})

test('the commands of a mixed batch for the node get error 100', async () => {
  const body = '{"commands":[{"publish":{}},{"cancel_push":{"uid":"u"}}]}'
  const answer = await sendRaw({ url: edge.url, path: '/api/batch', headers: { 'x-api-key': EDGE_KEY }, body })
  expect(answer.body.toString()).toBe(
    '{"replies":[{"error":{"code":100,"message":"internal server error"}},{"cancel_push":{}}]}',
  )
  expect(passed).toEqual(['/api/batch'])
})
