import { once } from 'node:events'
import { constants, createSecureServer, type ServerHttp2Stream } from 'node:http2'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { pino } from 'pino'
import { afterEach, beforeAll, expect, it } from 'vitest'
import { type Certificates, makeCertificates } from '../simulators/certificates.ts'
import type { Http2Error } from './http2-error.ts'
import { Http2Pool } from './http2-pool.ts'

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
  // A server that listens on a port has such an address.
  return (server.address() as AddressInfo).port
}

async function startServer(onStream: (stream: ServerHttp2Stream) => void, maxConcurrentStreams = 100): Promise<number> {
  const { cert, key } = certificates
  const server = createSecureServer({ cert, key, settings: { maxConcurrentStreams } })
  server.on('session', (session) => cleanUps.push(() => session.destroy()))
  server.on('stream', (stream) => {
    stream.on('error', () => undefined)
    onStream(stream)
  })
  return listen(server)
}

function openPool(port: number, limits: { maxConnections?: number; requestTimeoutMs?: number } = {}): Http2Pool {
  const pool = new Http2Pool({
    origin: `https://127.0.0.1:${port}`,
    ca: certificates.caCert,
    maxConnections: limits.maxConnections ?? 1,
    requestTimeoutMs: limits.requestTimeoutMs ?? 10_000,
    logger: pino({ level: 'silent' }),
  })
  cleanUps.push(() => pool.close())
  return pool
}

function post(pool: Http2Pool, path = '/') {
  return pool.request({ path, headers: {}, body: Buffer.from('x'), signal: new AbortController().signal })
}

async function failureOf(answer: Promise<unknown>): Promise<Pick<Http2Error, 'kind' | 'code'>> {
  const error: unknown = await answer.then(
    () => new Error('was answered'),
    (thrown) => thrown,
  )
  // The pool promises to reject with nothing else; anything else fails the comparison.
  const { kind, code } = error as Http2Error
  return { kind, code }
}

function answer(stream: ServerHttp2Stream, body = ''): void {
  stream.respond({ ':status': 200 })
  stream.end(body)
}

it('sends again what the server refused', async () => {
  let requests = 0
  const port = await startServer((stream) => {
    if (++requests === 1) stream.close(constants.NGHTTP2_REFUSED_STREAM)
    else answer(stream)
  })
  expect((await post(openPool(port))).status).toBe(200)
  expect(requests).toBe(2)
})

it('gives up on a server that refuses everything, as never sent', async () => {
  const port = await startServer((stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM))
  expect(await failureOf(post(openPool(port)))).toEqual({ kind: 'unsent', code: 'refused_stream' })
})

it('opens one stream at a time where the server allows one', async () => {
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

it('opens another connection when the streams of the first are all taken', async () => {
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

it('calls a request that a cut connection took along maybe delivered', async () => {
  const port = await startServer((stream) => stream.session?.destroy())
  expect(await failureOf(post(openPool(port)))).toMatchObject({ kind: 'ambiguous' })
})

it('resends what a GOAWAY left behind, and calls the rest maybe delivered', async () => {
  let goaways = 0
  const port = await startServer((stream) => {
    // The first request is held; the second makes the server leave, and comes back on another connection.
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

it('fails at once, as never sent, when nobody listens', async () => {
  const server = createServer()
  const port = await listen(server)
  server.close()
  const pool = openPool(port)
  const failures = await Promise.all([failureOf(post(pool)), failureOf(post(pool))])
  expect(failures).toEqual(Array(2).fill({ kind: 'unsent', code: 'connect_failed' }))
})

it('sends nothing to a server that does not speak h2', async () => {
  const { cert, key } = certificates
  const server = createTlsServer({ cert, key }, (socket) => socket.on('error', () => undefined).resume())
  const port = await listen(server)
  expect(await failureOf(post(openPool(port)))).toEqual({ kind: 'unsent', code: 'connect_failed' })
})

it('uses another connection once one has stopped answering', async () => {
  const backend = await startServer((stream) => answer(stream))
  let connections = 0
  // Passes everything on, but on its first connection nothing after the first answer.
  const proxy = createServer((client) => {
    const isFirst = ++connections === 1
    const upstream = connect(backend, '127.0.0.1')
    cleanUps.push(() => [client.destroy(), upstream.destroy()])
    client.on('error', () => undefined).on('data', (chunk) => !(isFirst && isDead) && upstream.write(chunk))
    upstream.on('error', () => undefined).pipe(client)
  })
  let isDead = false
  const pool = openPool(await listen(proxy), { maxConnections: 2, requestTimeoutMs: 200 })
  await post(pool)
  isDead = true
  expect(await failureOf(post(pool))).toEqual({ kind: 'ambiguous', code: 'timeout' })
  expect((await post(pool)).status).toBe(200)
  expect(connections).toBe(2)
})

it('passes a mistake in a request on to its caller without sending it', async () => {
  const pool = openPool(await startServer((stream) => answer(stream)))
  const signal = new AbortController().signal
  const wrong = pool.request({ path: '/', headers: { 'bad header': 'x' }, body: Buffer.alloc(0), signal })
  expect(await failureOf(wrong)).toEqual({ kind: 'unsent', code: 'request_invalid' })
  expect((await post(pool)).status).toBe(200)
})
