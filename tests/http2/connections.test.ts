// The pool's reaction to events of its connections: SETTINGS, GOAWAY, time-outs, flow control, refused addresses.
import { once } from 'node:events'
import { createSecureServer } from 'node:http2'
import { generate } from 'selfsigned'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Http2Error } from '../../src/http2/http2-error.ts'
import { Http2Pool } from '../../src/http2/http2-pool.ts'
import type { Http2PoolOptions } from '../../src/http2/http2-pool-options.ts'
import type { Http2Timing } from '../../src/http2/http2-timing.ts'
import { makeCertificates } from '../../src/simulators/certificates.ts'
import {
  answer,
  CODE,
  data,
  FLAGS,
  goaway,
  headers,
  ping,
  rst,
  settings,
  TYPE,
  windowUpdate,
} from '../support/http2-frames.ts'
import { Http2Peer, type PeerConnection } from '../support/http2-peer.ts'
import { makeTestLogger } from '../support/run-log.ts'

let peer: Http2Peer
let pools: Http2Pool[] = []
beforeAll(async () => {
  peer = await Http2Peer.start()
})
afterAll(() => peer.stop())
afterEach(async () => {
  for (const pool of pools) await pool.close()
  pools = []
})

function openPool(timing: Partial<Http2Timing> = {}, options: Partial<Http2PoolOptions> = {}): Http2Pool {
  const pool = new Http2Pool({
    origin: peer.origin,
    ca: peer.ca,
    maxConnections: 1,
    timing: { reconnectMinMs: 1, reconnectMaxMs: 1, ...timing },
    logger: makeTestLogger(),
    ...options,
  })
  pools.push(pool)
  return pool
}

const never = () => new AbortController().signal

/** The status, or kind and code of the failure. */
function post(pool: Http2Pool, { body = 'x', signal = never(), path = '/' } = {}): Promise<string> {
  return pool.request({ path, headers: {}, body: Buffer.from(body), signal }).then(
    ({ status }) => String(status),
    (error: unknown) => (error instanceof Http2Error ? `${error.kind} ${error.code}` : 'not an Http2Error'),
  )
}

async function accept(...pairs: [number, number][]): Promise<PeerConnection> {
  const connection = await peer.nextConnection()
  connection.greet(...pairs)
  return connection
}

/** Waits for `count` requests and returns their stream ids. */
async function takeRequests(connection: PeerConnection, count: number): Promise<number[]> {
  const ids: number[] = []
  while (ids.length < count) ids.push((await connection.next(TYPE.headers)).streamId)
  return ids
}

const MAX_STREAMS = 3
const INITIAL_WINDOW = 4

it('sends no request before the SETTINGS of the server', async () => {
  const pool = openPool()
  const results = Array.from({ length: 3 }, () => post(pool))
  const connection = await accept([MAX_STREAMS, 1])
  for (const id of [1, 3, 5]) {
    expect(await takeRequests(connection, 1)).toEqual([id])
    connection.send(ping())
    await connection.next(TYPE.ping)
    expect(connection.frames.filter(({ type }) => type === TYPE.headers)).toHaveLength((id + 1) / 2)
    connection.send(answer(id))
  }
  expect(await Promise.all(results)).toEqual(['200', '200', '200'])
})

it('follows a limit of streams that is set to 0 and increased again', async () => {
  const pool = openPool()
  const results = Array.from({ length: 4 }, () => post(pool))
  const connection = await accept([MAX_STREAMS, 2])
  expect(await takeRequests(connection, 2)).toEqual([1, 3])
  connection.send(settings([MAX_STREAMS, 0]), answer(1), answer(3), ping())
  await connection.next(TYPE.ping)
  expect(connection.frames.filter(({ type }) => type === TYPE.headers)).toHaveLength(2)
  connection.send(settings([MAX_STREAMS, 100]))
  expect(await takeRequests(connection, 2)).toEqual([5, 7])
  connection.send(answer(7), answer(5))
  expect(await Promise.all(results)).toEqual(['200', '200', '200', '200'])
})

it('fails as unsent after waitTimeoutMs when the server allows no stream', async () => {
  const result = post(openPool({ waitTimeoutMs: 50 }))
  const connection = await accept([MAX_STREAMS, 0])
  expect(await result).toBe('unsent no_stream_free')
  expect(connection.frames.some(({ type }) => type === TYPE.headers)).toBe(false)
})

it('sends requests above the id of a GOAWAY on another connection, and accepts answers to the others', async () => {
  const pool = openPool()
  const results = [post(pool, { path: '/a' }), post(pool, { path: '/b' })]
  const first = await accept()
  await takeRequests(first, 2)
  first.send(goaway(1))
  const second = await accept()
  expect(await takeRequests(second, 1)).toEqual([1])
  second.send(answer(1))
  first.send(answer(1))
  expect(await Promise.all(results)).toEqual(['200', '200'])
  await first.untilClosed()
})

it('accepts several GOAWAY: opens no stream after the first, and applies the lowest id', async () => {
  const pool = openPool()
  const results = [post(pool), post(pool), post(pool)]
  const first = await accept()
  await takeRequests(first, 3)
  first.send(goaway(0x7fffffff), goaway(3), goaway(5))
  const second = await accept()
  await takeRequests(second, 1)
  second.send(answer(1))
  first.send(answer(1), answer(3))
  expect(await Promise.all(results)).toEqual(['200', '200', '200'])
})

it('fails open requests as ambiguous soon after a GOAWAY with an error', async () => {
  const result = post(openPool())
  const connection = await accept()
  await takeRequests(connection, 1)
  connection.send(goaway(1, CODE.internal))
  expect(await result).toBe('ambiguous connection_lost')
})

it('fails as unsent when every connection sends GOAWAY before an answer', async () => {
  const result = post(openPool())
  for (let connection = 0; connection < 3; connection++) {
    const each = await accept()
    await takeRequests(each, 1)
    each.send(goaway(0))
  }
  expect(await result).toBe('unsent goaway')
})

it('delays the next connection when a server closes connections after SETTINGS', async () => {
  let nowMs = 0
  const pool = openPool({ reconnectMinMs: 1000, reconnectMaxMs: 1000 }, { nowMs: () => nowMs })
  const result = post(pool)
  const first = await accept()
  await takeRequests(first, 1)
  first.send(goaway(0))
  await first.untilClosed()
  const connections = peer.connections.length
  // A second connection of the pool would be older than the connection of a new pool.
  const other = post(openPool())
  const others = await accept()
  await takeRequests(others, 1)
  others.send(answer(1))
  expect(await other).toBe('200')
  expect(peer.connections).toHaveLength(connections + 1)
  nowMs = 1001
  const second = await accept()
  await takeRequests(second, 1)
  second.send(answer(1))
  expect(await result).toBe('200')
})

it('resets a stream at its deadline, ignores the late answer and keeps the connection', async () => {
  const pool = openPool({ requestTimeoutMs: 60 })
  const result = post(pool)
  const connection = await accept()
  await takeRequests(connection, 1)
  const reset = await connection.next(TYPE.rst)
  expect([reset.streamId, reset.payload.readUInt32BE(0)]).toEqual([1, CODE.cancel])
  expect(await result).toBe('ambiguous timeout')
  const received = await connection.next(TYPE.ping)
  connection.send(answer(1), ping(received.payload.toString('latin1'), FLAGS.ack))
  const second = post(pool)
  expect(await takeRequests(connection, 1)).toEqual([3])
  connection.send(answer(3))
  expect(await second).toBe('200')
})

it('sends PING on a silent connection and keeps it when it answers', async () => {
  const pool = openPool({ idlePingMs: 30, pingTimeoutMs: 10_000 })
  const result = post(pool)
  const connection = await accept()
  await takeRequests(connection, 1)
  connection.send(answer(1))
  expect(await result).toBe('200')
  for (let pings = 0; pings < 2; pings++) {
    const received = await connection.next(TYPE.ping)
    connection.send(ping(received.payload.toString('latin1'), FLAGS.ack))
  }
  const second = post(pool)
  await takeRequests(connection, 1)
  connection.send(answer(3))
  expect(await second).toBe('200')
})

it('sends no request on a connection with an unanswered PING, and closes it', async () => {
  const pool = openPool({ idlePingMs: 30, pingTimeoutMs: 60 })
  const result = post(pool)
  const first = await accept()
  await takeRequests(first, 1)
  await first.next(TYPE.ping)
  const second = post(pool)
  expect(await result).toBe('ambiguous connection_lost')
  const next = await accept()
  await takeRequests(next, 1)
  next.send(answer(1))
  expect(await second).toBe('200')
  expect(first.frames.filter(({ type }) => type === TYPE.headers)).toHaveLength(1)
})

it('closes an idle connection with GOAWAY, and opens another one on demand', async () => {
  const pool = openPool({ idleCloseMs: 40 })
  for (let round = 0; round < 2; round++) {
    const result = post(pool)
    const connection = await accept()
    await takeRequests(connection, 1)
    connection.send(answer(1))
    expect(await result).toBe('200')
    expect((await connection.next(TYPE.goaway)).payload.readUInt32BE(4)).toBe(CODE.none)
    await connection.untilClosed()
  }
})

it('sends nothing on an idle connection that the server has closed', async () => {
  const pool = openPool()
  const result = post(pool)
  const first = await accept()
  await takeRequests(first, 1)
  first.send(answer(1))
  expect(await result).toBe('200')
  first.socket.destroy()
  await first.untilClosed()
  const second = post(pool)
  const next = await accept()
  await takeRequests(next, 1)
  next.send(answer(1))
  expect(await second).toBe('200')
})

it('resets the streams of aborted requests only', async () => {
  const pool = openPool()
  const abort = new AbortController()
  const results = [post(pool), post(pool, { signal: abort.signal }), post(pool, { signal: abort.signal })]
  const connection = await accept([MAX_STREAMS, 2])
  await takeRequests(connection, 2)
  abort.abort()
  const reset = await connection.next(TYPE.rst)
  expect([reset.streamId, reset.payload.readUInt32BE(0)]).toEqual([3, CODE.cancel])
  connection.send(answer(1))
  expect(await Promise.all(results)).toEqual(['200', 'aborted aborted', 'aborted aborted'])
})

it('sends a table size update after the server reduced its table', async () => {
  const pool = openPool()
  const result = post(pool)
  const connection = await accept([1, 0])
  const first = await connection.next(TYPE.headers)
  connection.send(answer(1))
  expect(await result).toBe('200')
  const second = post(pool)
  const next = await connection.next(TYPE.headers)
  connection.send(answer(3))
  await second
  expect([first.payload[0], next.payload[0]]).toEqual([0x20, 0x14])
})

it('sends a body in parts within the windows', async () => {
  const body = 'abcdefghij'.repeat(10)
  const pool = openPool()
  const result = post(pool, { body })
  const connection = await accept([INITIAL_WINDOW, 10])
  const parts = [await connection.next(TYPE.data)]
  connection.send(windowUpdate(1, 5))
  parts.push(await connection.next(TYPE.data))
  // The window becomes negative first, then positive.
  connection.send(settings([INITIAL_WINDOW, 0]), windowUpdate(1, 30))
  parts.push(await connection.next(TYPE.data))
  connection.send(settings([INITIAL_WINDOW, 1000]))
  parts.push(await connection.next(TYPE.data))
  connection.send(answer(1))
  expect(await result).toBe('200')
  expect(parts.map(({ payload }) => payload.length)).toEqual([10, 5, 20, 65])
  expect(Buffer.concat(parts.map(({ payload }) => payload)).toString()).toBe(body)
  expect(parts.map(({ flags }) => flags)).toEqual([0, 0, 0, FLAGS.end])
})

it('opens no more streams while the window of the connection is exhausted', async () => {
  const pool = openPool()
  const results = Array.from({ length: 10 }, () => post(pool, { body: 'x'.repeat(16_000) }))
  const connection = await accept()
  // 65,535 bytes: four bodies and the beginning of the fifth.
  expect(await takeRequests(connection, 5)).toEqual([1, 3, 5, 7, 9])
  connection.send(ping())
  await connection.next(TYPE.ping)
  expect(connection.frames.filter(({ type }) => type === TYPE.headers)).toHaveLength(5)
  connection.send(windowUpdate(0, 1_000_000))
  expect(await takeRequests(connection, 5)).toEqual([11, 13, 15, 17, 19])
  for (let id = 1; id < 20; id += 2) connection.send(answer(id))
  expect(new Set(await Promise.all(results))).toEqual(new Set(['200']))
})

it('keeps the connection when a request with an unsent body is aborted', async () => {
  const pool = openPool()
  const abort = new AbortController()
  const aborted = post(pool, { body: 'x'.repeat(65_536), signal: abort.signal })
  const connection = await accept([INITIAL_WINDOW, 1_000_000])
  // The whole window of the connection; one byte remains unsent.
  for (let sent = 0; sent < 65_535; ) sent += (await connection.next(TYPE.data)).payload.length
  abort.abort()
  expect(await aborted).toBe('aborted aborted')
  const result = post(pool, { body: '' })
  expect(await takeRequests(connection, 1)).toEqual([3])
  connection.send(answer(3), windowUpdate(0, 1000), ping())
  expect(await result).toBe('200')
  await connection.next(TYPE.ping)
  expect(connection.frames.filter(({ type }) => type === TYPE.data).every(({ flags }) => flags === 0)).toBe(true)
})

it('accepts an answer before the request body was sent, and resets the stream', async () => {
  const pool = openPool()
  const result = post(pool, { body: 'x'.repeat(100) })
  const connection = await accept([INITIAL_WINDOW, 10])
  await connection.next(TYPE.data)
  connection.send(headers(1), data(1), rst(1, CODE.none))
  expect(await result).toBe('200')
  expect((await connection.next(TYPE.rst)).payload.readUInt32BE(0)).toBe(CODE.cancel)
})

it('keeps 64 KB of an answer and resets the stream', async () => {
  const pool = openPool()
  const response = pool.request({ path: '/', headers: {}, signal: never() })
  const connection = await accept()
  await takeRequests(connection, 1)
  connection.send(headers(1), ...Array.from({ length: 5 }, () => data(1, 'x'.repeat(16_000), 0)))
  const { status, body } = await response
  expect([status, body.length]).toEqual([200, 65_536])
  expect((await connection.next(TYPE.rst)).payload.readUInt32BE(0)).toBe(CODE.cancel)
})

it('increases the receive window of the connection, so that answers never wait', async () => {
  const pool = openPool()
  const connection = (async () => {
    const each = await accept()
    for (let id = 1; id <= 401; id += 2) {
      await takeRequests(each, 1)
      each.send(headers(id), ...Array.from({ length: 3 }, () => data(id, 'x'.repeat(16_000), 0)), data(id, ''))
    }
    return each
  })()
  for (let request = 0; request <= 200; request++) expect(await post(pool)).toBe('200')
  const updates = (await connection).frames.filter(({ type }) => type === TYPE.window)
  expect(updates.length).toBeGreaterThan(1)
})

it('presents its client certificate when the server requests one', async () => {
  const server = await makeCertificates()
  const client = await generate([{ name: 'commonName', value: 'client' }], { keyType: 'ec', algorithm: 'sha256' })
  const options = { key: server.key, cert: server.cert, ca: client.cert, requestCert: true, rejectUnauthorized: true }
  const http2Server = createSecureServer(options, (_request, response) => response.end())
  http2Server.listen(0, '127.0.0.1')
  await once(http2Server, 'listening')
  const address = http2Server.address()
  const origin = `https://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  expect(
    await post(openPool({}, { origin, ca: server.caCert, certificate: { cert: client.cert, key: client.private } })),
  ).toBe('200')
  expect(await post(openPool({}, { origin, ca: server.caCert }))).toMatch(/^unsent/)
  for (const pool of pools) await pool.close()
  http2Server.close()
})

it('connects to no refused address, literal or resolved', async () => {
  const connections = peer.connections.length
  const checked: string[] = []
  const isAddressAllowed = (address: string) => {
    checked.push(address)
    return false
  }
  expect(await post(openPool({}, { isAddressAllowed }))).toBe('unsent address_refused')
  const origin = peer.origin.replace('127.0.0.1', 'localhost')
  const lookup: Http2PoolOptions['lookup'] = (_host, _options, callback) =>
    callback(null, [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ])
  expect(await post(openPool({}, { origin, lookup, isAddressAllowed }))).toBe('unsent address_refused')
  expect(checked).toEqual(['127.0.0.1', '127.0.0.1', '::1'])
  expect(peer.connections).toHaveLength(connections)
})

it('connects to the allowed ones of the resolved addresses', async () => {
  const origin = peer.origin.replace('127.0.0.1', 'localhost')
  const lookup: Http2PoolOptions['lookup'] = (_host, _options, callback) =>
    callback(null, [
      { address: '192.0.2.1', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ])
  const result = post(openPool({}, { origin, lookup, isAddressAllowed: (address) => address === '127.0.0.1' }))
  const connection = await accept()
  await takeRequests(connection, 1)
  connection.send(answer(1))
  expect(await result).toBe('200')
})

it('sends no request of a batch with invalid headers or an invalid path', async () => {
  const pool = openPool()
  const results: string[] = []
  await pool.send({
    count: 2,
    path: '/bad path',
    headers: {},
    signal: never(),
    onAnswer: () => results.push('answered'),
    onFailure: (index, error) => results.push(`${index} ${error.kind} ${error.code}`),
  })
  expect(results).toEqual(['0 unsent request_invalid', '1 unsent request_invalid'])
})

it('fails an invalid request of a batch, and sends the others', async () => {
  const pool = openPool()
  const results: string[] = []
  const sent = pool.send({
    count: 3,
    path: (index) => (index === 1 ? '/with blank' : `/${index}`),
    headers: {},
    writeBody: (index, body) => body.text(`body ${index}`),
    signal: never(),
    onAnswer: (index, { status }) => results.push(`${index} ${status}`),
    onFailure: (index, error) => results.push(`${index} ${error.code}`),
  })
  const connection = await accept()
  expect(await takeRequests(connection, 2)).toEqual([1, 3])
  connection.send(answer(1), answer(3))
  await sent
  expect(results).toEqual(['1 request_invalid', '0 200', '2 200'])
  const bodies = connection.frames.filter(({ type }) => type === TYPE.data).map(({ payload }) => payload.toString())
  expect(bodies).toEqual(['body 0', 'body 2'])
})

it('rejects with the error that a callback threw, after all requests are complete', async () => {
  const pool = openPool()
  const answered: number[] = []
  const sent = pool.send({
    count: 3,
    path: '/',
    headers: {},
    signal: never(),
    onAnswer: (index) => {
      answered.push(index)
      if (index === 0) throw new Error('error of the callback')
    },
    onFailure: () => undefined,
  })
  const connection = await accept()
  for (const id of await takeRequests(connection, 3)) connection.send(answer(id))
  await expect(sent).rejects.toThrow('error of the callback')
  expect(answered).toEqual([0, 1, 2])
})

it('sends a small batch between the requests of a large one', async () => {
  const pool = openPool()
  const order: string[] = []
  const send = (name: string, count: number) =>
    pool.send({
      count,
      path: '/',
      headers: {},
      signal: never(),
      onAnswer: () => order.push(name),
      onFailure: () => undefined,
    })
  const sent = [send('large', 200), send('small', 1)]
  const connection = await accept([MAX_STREAMS, 1])
  for (let request = 0; request < 201; request++) connection.send(answer((await takeRequests(connection, 1))[0] ?? 0))
  await Promise.all(sent)
  expect(order.indexOf('small')).toBeLessThan(20)
})
