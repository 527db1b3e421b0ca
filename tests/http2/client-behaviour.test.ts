// The contract of the HTTP/2 client against Node's server. With CENTRIPUSH_TEST_HTTP2=node it tests the client on
// Node's http2 module.
import { once } from 'node:events'
import { constants, createSecureServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { afterEach, beforeAll, expect, it, vi } from 'vitest'
import type { Http2Client } from '../../src/http2/http2-client.ts'
import type { Http2Error } from '../../src/http2/http2-error.ts'
import { type Certificates, makeCertificates } from '../../src/simulators/certificates.ts'
import { openHttp2Client } from '../support/http2-client.ts'
import { makeTestLogger } from '../support/run-log.ts'

let certificates: Certificates
const cleanUps: (() => unknown)[] = []

beforeAll(async () => {
  certificates = await makeCertificates()
})
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** Listens on a free port until the test ends. */
async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUps.push(() => server.close())
  // A server that listens on TCP has this type of address.
  return (server.address() as AddressInfo).port
}

type OnStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

async function startServer(onStream: OnStream, maxConcurrentStreams = 100): Promise<number> {
  const { cert, key } = certificates
  const server = createSecureServer({ cert, key, settings: { maxConcurrentStreams } })
  server.on('session', (session) => cleanUps.push(() => session.destroy()))
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    onStream(stream, headers)
  })
  return listen(server)
}

function openPool(port: number, limits: { maxConnections?: number; requestTimeoutMs?: number } = {}): Http2Client {
  const pool = openHttp2Client({
    origin: `https://127.0.0.1:${port}`,
    ca: certificates.caCert,
    maxConnections: limits.maxConnections ?? 1,
    timing: { requestTimeoutMs: limits.requestTimeoutMs ?? 10_000 },
    logger: makeTestLogger(),
  })
  cleanUps.push(() => pool.close())
  return pool
}

function post(pool: Http2Client, path = '/') {
  return pool.request({ path, headers: {}, body: Buffer.from('x'), signal: new AbortController().signal })
}

async function failureOf(answer: Promise<unknown>): Promise<Pick<Http2Error, 'kind' | 'code'>> {
  const error: unknown = await answer.then(
    () => new Error('the request was answered'),
    (thrown) => thrown,
  )
  // The pool rejects with an Http2Error only. Any other error fails the comparison.
  const { kind, code } = error as Http2Error
  return { kind, code }
}

function answer(stream: ServerHttp2Stream, body = ''): void {
  stream.respond({ ':status': 200 })
  stream.end(body)
}

it('sends a refused request again', async () => {
  let requests = 0
  const port = await startServer((stream) => {
    if (++requests === 1) stream.close(constants.NGHTTP2_REFUSED_STREAM)
    else answer(stream)
  })
  expect((await post(openPool(port))).status).toBe(200)
  expect(requests).toBe(2)
})

it('fails as unsent when the server refuses every stream', async () => {
  const port = await startServer((stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM))
  expect(await failureOf(post(openPool(port)))).toEqual({ kind: 'unsent', code: 'refused_stream' })
})

it('opens one stream at a time when the server allows one', async () => {
  let open = 0
  let peak = 0
  const port = await startServer((stream) => {
    peak = Math.max(peak, ++open)
    stream.once('close', () => open--)
    setImmediate(answer, stream)
  }, 1)
  const pool = openPool(port)
  const answers = await Promise.all(Array.from({ length: 30 }, () => post(pool)))
  expect(answers.map(({ status }) => status)).toEqual(Array(30).fill(200))
  expect(peak).toBe(1)
})

it('does not send requests that were withdrawn in the queue', async () => {
  const waiting: ServerHttp2Stream[] = []
  const paths: unknown[] = []
  const port = await startServer((stream, headers) => {
    paths.push(headers[':path'])
    if (paths.length === 1) waiting.push(stream)
    else answer(stream)
  }, 1)
  const pool = openPool(port)
  const withdrawn = new Set<number>()
  const results = new Map<number, unknown>()
  const sent = pool.send({
    count: 4,
    path: (index) => `/${index}`,
    headers: {},
    signal: new AbortController().signal,
    isWithdrawn: (index) => withdrawn.has(index),
    onAnswer: (index, { status }) => results.set(index, status),
    onFailure: (index, { kind }) => results.set(index, kind),
  })
  await vi.waitFor(() => expect(waiting).toHaveLength(1))
  withdrawn.add(0).add(1).add(3)
  for (const stream of waiting) answer(stream)
  await sent
  expect(paths).toEqual(['/0', '/2'])
  expect(Object.fromEntries(results)).toEqual({ 0: 200, 1: 'aborted', 2: 200, 3: 'aborted' })
})

it('opens another connection when the first has no free stream', async () => {
  let requests = 0
  const port = await startServer((stream) => {
    // The first request is never answered.
    if (++requests > 1) answer(stream)
  }, 1)
  const pool = openPool(port, { maxConnections: 2, requestTimeoutMs: 500 })
  const held = failureOf(post(pool))
  expect((await Promise.all([post(pool), post(pool)])).map(({ status }) => status)).toEqual([200, 200])
  expect(await held).toEqual({ kind: 'ambiguous', code: 'timeout' })
})

it('keeps the first 64 KB of an answer', async () => {
  const port = await startServer((stream) => answer(stream, 'x'.repeat(200_000)))
  expect((await post(openPool(port))).body.length).toBe(65_536)
})

it('fails as ambiguous when the connection is cut', async () => {
  const port = await startServer((stream) => stream.session?.destroy())
  expect(await failureOf(post(openPool(port)))).toMatchObject({ kind: 'ambiguous' })
})

it('sends requests above the id of a GOAWAY again, and fails the others as ambiguous', async () => {
  let goaways = 0
  const port = await startServer((stream) => {
    // The first request is not answered. The second causes a GOAWAY and is sent again on another connection.
    if (goaways === 1) answer(stream)
    else if (stream.id === 3) {
      goaways++
      stream.session?.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 1)
    }
  })
  const pool = openPool(port)
  const first = failureOf(post(pool))
  const second = post(pool)
  expect(await first).toMatchObject({ kind: 'ambiguous' })
  expect((await second).status).toBe(200)
})

it('fails at once as unsent when the connection is refused', async () => {
  const server = createServer()
  const port = await listen(server)
  server.close()
  const pool = openPool(port)
  const failures = await Promise.all([failureOf(post(pool)), failureOf(post(pool))])
  expect(failures).toEqual(Array(2).fill({ kind: 'unsent', code: 'connect_failed' }))
})

it('sends nothing to a server without h2', async () => {
  const { cert, key } = certificates
  const server = createTlsServer({ cert, key }, (socket) => socket.on('error', () => undefined).resume())
  const port = await listen(server)
  expect(await failureOf(post(openPool(port)))).toEqual({ kind: 'unsent', code: 'connect_failed' })
})

it('uses another connection after one has stopped to answer', async () => {
  const backend = await startServer((stream) => answer(stream))
  let connections = 0
  // Discards the client's bytes on its first connection after the first answer.
  const proxy = createServer((client) => {
    const isFirst = ++connections === 1
    const upstream = connect(backend, '127.0.0.1')
    cleanUps.push(() => [client.destroy(), upstream.destroy()])
    client.on('error', () => undefined).on('data', (chunk) => !(isFirst && isSilent) && upstream.write(chunk))
    upstream.on('error', () => undefined).pipe(client)
  })
  let isSilent = false
  const pool = openPool(await listen(proxy), { maxConnections: 2, requestTimeoutMs: 200 })
  await post(pool)
  isSilent = true
  expect(await failureOf(post(pool))).toEqual({ kind: 'ambiguous', code: 'timeout' })
  expect((await post(pool)).status).toBe(200)
  expect(connections).toBe(2)
})

it('fails an invalid request without sending it', async () => {
  const pool = openPool(await startServer((stream) => answer(stream)))
  const signal = new AbortController().signal
  const wrong = pool.request({ path: '/', headers: { 'bad header': 'x' }, body: Buffer.alloc(0), signal })
  expect(await failureOf(wrong)).toEqual({ kind: 'unsent', code: 'request_invalid' })
  expect((await post(pool)).status).toBe(200)
})

it('gives every request of a batch its own answer, in any order', async () => {
  const port = await startServer((stream, headers) => {
    let body = ''
    stream.setEncoding('utf8')
    stream.on('data', (chunk: string) => {
      body += chunk
    })
    stream.on('end', () => {
      const index = Number(body.split(' ')[0])
      stream.respond({ ':status': index % 2 ? 200 : 410, 'apns-id': String(headers['apns-id']), 'x-other': 'unread' })
      const text = [headers[':method'], headers[':path'], headers.authorization, body].join(' ')
      setTimeout(() => stream.end(text), index % 7)
    })
  })
  const pool = openPool(port, { maxConnections: 3 })
  const count = 1000
  const answers: unknown[] = Array.from({ length: count })
  await pool.send({
    count,
    path: (index) => `/3/device/${index}`,
    headers: { authorization: 'bearer x' },
    writeFields: (index, fields) => fields.field('apns-id', `id-${index}`),
    writeBody: (index, body) => {
      body.bytes(Buffer.from(`${index} `))
      body.text('ü'.repeat(index))
    },
    answerHeaders: ['apns-id'],
    signal: new AbortController().signal,
    onAnswer: (index, each) => {
      expect(answers[index]).toBeUndefined()
      answers[index] = [each.status, each.header('apns-id'), each.bodyText()]
    },
    onFailure: (index, error) => {
      answers[index] = error.code
    },
  })
  const expected = answers.map((_, index) => [
    index % 2 ? 200 : 410,
    `id-${index}`,
    `POST /3/device/${index} bearer x ${index} ${'ü'.repeat(index)}`,
  ])
  expect(answers).toEqual(expected)
})

it('completes each request once when the batch is aborted between answers', async () => {
  const abort = new AbortController()
  let requests = 0
  const port = await startServer((stream) => {
    if (++requests <= 50) answer(stream)
  })
  const results: string[][] = Array.from({ length: 300 }, () => [])
  await openPool(port).send({
    count: results.length,
    path: '/',
    headers: {},
    signal: abort.signal,
    onAnswer: (index) => {
      results[index]?.push('answered')
      if (index === 20) abort.abort()
    },
    onFailure: (index, { kind }) => results[index]?.push(kind),
  })
  expect(new Set(results.map(String))).toEqual(new Set(['answered', 'aborted']))
})

it('sends and receives bodies larger than the windows', async () => {
  const port = await startServer((stream) => {
    let received = 0
    stream.on('data', (chunk: Buffer) => {
      received += chunk.length
    })
    stream.on('end', () => answer(stream, String(received)))
  })
  const signal = new AbortController().signal
  const body = Buffer.alloc(1_000_000, 'x')
  const pool = openPool(port)
  const answers = await Promise.all([1, 2, 3].map(() => pool.request({ path: '/', headers: {}, body, signal })))
  expect(answers.map((each) => each.body.toString())).toEqual(Array(3).fill('1000000'))
})

it('sends requests with other methods and without a body', async () => {
  const port = await startServer((stream, headers) => answer(stream, `${headers[':method']} ${headers[':authority']}`))
  const signal = new AbortController().signal
  const { body } = await openPool(port).request({ method: 'GET', path: '/', headers: {}, signal })
  expect(body.toString()).toBe(`GET 127.0.0.1:${port}`)
})
