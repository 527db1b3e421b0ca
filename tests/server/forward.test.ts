// Requests that the node answers: bytes and headers are passed on, connection headers are not. A failing node causes
// 502 or a closed connection, so a client never takes a truncated answer for a complete one.
import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from 'vitest'
import type { UpstreamOptions } from '../../src/upstream/upstream-options.ts'
import {
  answerWith,
  EDGE_KEY,
  type Edge,
  NODE_KEY,
  startEdge,
  startNode,
  startRawNode,
  type TestNode,
} from '../support/edge.ts'
import { sendRaw } from '../support/raw-request.ts'

const MEBIBYTE = 1024 * 1024

let edge: Edge | undefined
let stopNode: (() => Promise<void>) | undefined
afterEach(async () => {
  await edge?.stop()
  await stopNode?.()
})

async function startWithNode(
  onRequest: (incoming: IncomingMessage, outgoing: ServerResponse) => void,
  upstream: Partial<UpstreamOptions> = {},
): Promise<Edge> {
  const node = await startRawNode(onRequest)
  stopNode = node.stop
  edge = await startEdge({ node: node.address, upstream, maxRequestBytes: 64 * MEBIBYTE })
  return edge
}

function publish(url: string, body: Buffer | string = '{}', headers: Record<string, string> = {}) {
  return sendRaw({ url, path: '/api/publish', headers: { 'x-api-key': EDGE_KEY, ...headers }, body })
}

/** Sends a request. The test reads the answer itself. */
function startPublish(url: string, headers: Record<string, string | number> = {}): ClientRequest {
  const { hostname, port } = new URL(url)
  return request({
    host: hostname,
    port,
    method: 'POST',
    path: '/api/publish',
    headers: { 'x-api-key': EDGE_KEY, ...headers },
    agent: false,
  })
}

describe('headers', () => {
  async function forwardOne(options: { path?: string; headers: Record<string, string>; upstream?: object }) {
    const node: TestNode = await startNode((_, outgoing) => answerWith(outgoing, '{}'))
    stopNode = node.stop
    edge = await startEdge({ node: node.address, upstream: options.upstream ?? {} })
    await sendRaw({ url: edge.url, path: options.path ?? '/api/publish', headers: options.headers, body: '{}' })
    return node.requests
  }

  test('of the client are passed on, except its key and connection headers', async () => {
    const [asked] = await forwardOne({
      headers: {
        'x-api-key': EDGE_KEY,
        authorization: 'apikey other',
        connection: 'X-Named, close',
        'x-named': '1',
        te: 'trailers',
        'proxy-authorization': 'x',
        'keep-alive': 'timeout=1',
        traceparent: 'kept',
      },
    })
    expect(asked?.headers).toMatchObject({ 'x-api-key': NODE_KEY, traceparent: 'kept', 'content-length': '2' })
    for (const name of ['authorization', 'x-named', 'te', 'proxy-authorization']) {
      expect(asked?.headers[name], name).toBeUndefined()
    }
  })

  test('carry the node’s key when the client’s key is in the query, which is not passed on', async () => {
    const [asked] = await forwardOne({ path: `/api/publish?api_key=${EDGE_KEY}&x=1`, headers: {} })
    expect(asked).toMatchObject({ url: '/api/publish', headers: { 'x-api-key': NODE_KEY } })
  })

  test('request the transport error mode from the node when it is configured', async () => {
    const [asked] = await forwardOne({ headers: { 'x-api-key': EDGE_KEY }, upstream: { transportErrors: true } })
    expect(asked?.headers['x-centrifugo-error-mode']).toBe('transport')
  })

  test('of the node are passed back, including repeated ones, except connection headers', async () => {
    const { url } = await startWithNode((_, outgoing) => {
      const own = { connection: 'x-node-named', 'x-node-named': '1', 'keep-alive': 'timeout=1' }
      outgoing.writeHead(418, { ...own, 'set-cookie': ['a=1', 'b=2'], 'x-kept': 'yes' }).end('teapot')
    })
    const { status, headers, body } = await publish(url)
    expect([status, body.toString()]).toEqual([418, 'teapot'])
    expect(headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], 'x-kept': 'yes' })
    expect(headers['x-node-named']).toBeUndefined()
  })
})

/** Resolves when a number did not change while the server, in the same process, answered many requests. */
async function untilStill(url: string, read: () => number): Promise<void> {
  for (let served = 0, last = read(); served < 50; served++) {
    await sendRaw({ url, method: 'GET', path: '/health' })
    if (read() !== last) served = 0
    last = read()
  }
}

describe('a large body', () => {
  const large = Buffer.alloc(8 * MEBIBYTE, 'x')

  test.each([
    ['with a length', { 'content-length': large.length }],
    ['without a length', { 'transfer-encoding': 'chunked' }],
  ])('arrives at the node completely, %s', async (_, headers) => {
    const { url } = await startWithNode((incoming, outgoing) => {
      buffer(incoming).then(
        (body) => outgoing.end(String(body.equals(large))),
        () => outgoing.destroy(),
      )
    })
    const outgoing = startPublish(url, headers)
    outgoing.end(large)
    const [incoming]: IncomingMessage[] = await once(outgoing, 'response')
    expect(String(incoming && (await buffer(incoming)))).toBe('true')
  })

  test('is not read from the node while the client does not read, and arrives completely', async () => {
    const total = 64 * MEBIBYTE
    let written = 0
    const chunk = Buffer.alloc(MEBIBYTE, 'y')
    const { url } = await startWithNode((_, outgoing) => {
      const writeOn = () => {
        while (written < total) {
          written += chunk.length
          if (!outgoing.write(chunk)) return
        }
        outgoing.end()
      }
      outgoing.on('drain', writeOn)
      writeOn()
    })
    const outgoing = startPublish(url)
    outgoing.end('{}')
    const [incoming]: IncomingMessage[] = await once(outgoing, 'response')
    await untilStill(url, () => written)
    expect(written).toBeLessThan(total)
    expect(incoming && (await buffer(incoming)).length).toBe(total)
  })
})

describe('a node that fails', () => {
  const gateway = { status: 502, body: Buffer.from('Bad Gateway\n') }

  test('and is not reachable causes 502 for small and streamed requests, until it is reachable again', async () => {
    const node = await startNode((_, outgoing) => answerWith(outgoing, '{"result":{}}'))
    await node.stop()
    edge = await startEdge({ node: node.address })
    const answer = await publish(edge.url)
    expect(answer).toMatchObject({
      ...gateway,
      headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
    })
    expect(await publish(edge.url, Buffer.alloc(MEBIBYTE / 2))).toMatchObject(gateway)
    const back = await startNode((_, outgoing) => answerWith(outgoing, '{"result":{}}'), node.port)
    stopNode = back.stop
    expect((await publish(edge.url)).status).toBe(200)
  })

  test('and does not answer in time causes 502, and its request is ended', async () => {
    let onCut = () => {}
    const cut = new Promise<void>((resolve) => {
      onCut = resolve
    })
    const { url } = await startWithNode((_, outgoing) => void outgoing.once('close', onCut), { timeoutMs: 100 })
    expect(await publish(url)).toMatchObject(gateway)
    await cut
  })

  test('and has no free connection in time causes 502', async () => {
    const { url } = await startWithNode(() => {}, { timeoutMs: 200, maxConnections: 1 })
    expect(await Promise.all([publish(url), publish(url)])).toMatchObject([gateway, gateway])
  })

  test('and ends within an answer closes the client’s connection', async () => {
    const { url } = await startWithNode((_, outgoing) => {
      outgoing.writeHead(200, { 'content-length': 100 })
      outgoing.write('half', () => outgoing.destroy())
    })
    await expect(publish(url)).rejects.toThrow()
  })
})

test('a client whose connection breaks ends its request to the node', async () => {
  let onAsked = () => {}
  const asked = new Promise<void>((resolve) => {
    onAsked = resolve
  })
  let onCut = () => {}
  const cut = new Promise<void>((resolve) => {
    onCut = resolve
  })
  const { url } = await startWithNode((_, outgoing) => {
    outgoing.once('close', onCut)
    onAsked()
  })
  const outgoing = startPublish(url)
  outgoing.on('error', () => {})
  outgoing.end('{}')
  await asked
  // A client that only closes it may be waiting for the answer.
  outgoing.socket?.resetAndDestroy()
  await cut
})
