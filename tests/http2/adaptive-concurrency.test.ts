// The pool's adaptive concurrency against Node's server.
import { EventEmitter, once } from 'node:events'
import { createSecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { Http2Batch } from '../../src/http2/http2-client.ts'
import { Http2Pool } from '../../src/http2/http2-pool.ts'
import type { Http2PoolOptions } from '../../src/http2/http2-pool-options.ts'
import { makeCertificates } from '../../src/simulators/certificates.ts'
import { makeTestLogger } from '../support/run-log.ts'

type AnswerAll = (atLeast: number, status: number) => Promise<number>

/** A server that keeps its streams open until the test answers all of them. */
async function startServer() {
  const { cert, key, caCert } = await makeCertificates()
  const server = createSecureServer({ cert, key, settings: { maxConcurrentStreams: 100 } })
  const sessions = new Set<ServerHttp2Session>()
  const changes = new EventEmitter()
  let open: ServerHttp2Stream[] = []
  server.on('session', (session) => sessions.add(session))
  server.on('stream', (stream) => {
    stream.on('error', () => undefined)
    open.push(stream)
    changes.emit('change')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  /** Waits for `atLeast` streams and for all sent requests, answers all streams, and returns their number. */
  const answerAll: AnswerAll = async (atLeast, status) => {
    while (open.length < atLeast) await once(changes, 'change')
    for (const session of sessions) for (let trips = 0; trips < 2; trips++) await roundTrip(session)
    const answered = open
    open = []
    for (const stream of answered) if (!stream.destroyed) stream.respond({ ':status': status }, { endStream: true })
    return answered.length
  }
  // A server that listens on TCP has this type of address.
  return { origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, ca: caCert, answerAll, sessions }
}

function roundTrip(session: ServerHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => session.ping((error) => (error ? reject(error) : resolve())))
}

function openPool(server: { origin: string; ca: string }, options: Partial<Http2PoolOptions> = {}): Http2Pool {
  const { origin, ca } = server
  // No busy answer counts as a failure: the circuit breaker would stop the requests.
  const isFailure = () => false
  const pool = new Http2Pool({ origin, ca, maxConnections: 1, isFailure, logger: makeTestLogger(), ...options })
  onTestFinished(() => pool.close())
  return pool
}

function send(pool: Http2Pool, count: number, results: (number | string)[]): Promise<void> {
  const batch: Http2Batch = {
    count,
    path: '/',
    headers: {},
    signal: new AbortController().signal,
    onAnswer: (index, { status }) => {
      results[index] = status
    },
    onFailure: (index, { code }) => {
      results[index] = code
    },
  }
  return pool.send(batch)
}

async function answerUntil(end: Promise<void>, { answerAll }: { answerAll: AnswerAll }, status: number): Promise<void> {
  const ended = end.then(() => true)
  while (!(await Promise.race([ended, answerAll(1, status).then(() => false)])));
}

test('halves the requests in flight for busy answers, down to one, and increases them for good ones', async () => {
  const server = await startServer()
  const results: number[] = []
  const sending = send(openPool(server), 400, results)
  const rounds: number[] = []
  for (const expected of [100, 50, 25, 12, 6, 3, 1, 1]) rounds.push(await server.answerAll(expected, 503))
  for (const expected of [1, 2, 2, 3, 4]) rounds.push(await server.answerAll(expected, 200))
  expect(rounds).toEqual([100, 50, 25, 12, 6, 3, 1, 1, 1, 2, 2, 3, 4])
  await answerUntil(sending, server, 200)
  expect(results.filter((status) => status === 503)).toHaveLength(198)
})

test('opens no connections for requests above the limit', async () => {
  const server = await startServer()
  const pool = openPool(server, { maxConnections: 4 })
  const first = send(pool, 2, [])
  await server.answerAll(2, 429)
  await first
  const second = send(pool, 300, [])
  await server.answerAll(1, 429)
  expect(server.sessions.size).toBe(1)
  await answerUntil(second, server, 429)
})

test('fails requests as unsent that are queued for too long behind a busy server', async () => {
  const server = await startServer()
  const results: (number | string)[] = []
  const sending = send(openPool(server, { timing: { waitTimeoutMs: 200 } }), 20_000, results)
  await answerUntil(sending, server, 429)
  expect(new Set(results)).toEqual(new Set([429, 'no_stream_free']))
})
