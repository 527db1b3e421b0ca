// What a server does to connections, and what the pool makes of it.
import { once } from 'node:events'
import { createSecureServer } from 'node:http2'
import { generate } from 'selfsigned'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Http2Error } from '../../src/http2/http2-error.ts'
import { Http2Pool, type Http2PoolOptions } from '../../src/http2/http2-pool.ts'
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

/** The status, or why there is none. */
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

/** Waits for so many requests and returns their stream ids. */
async function takeRequests(connection: PeerConnection, count: number): Promise<number[]> {
  const ids: number[] = []
  while (ids.length < count) ids.push((await connection.next(TYPE.headers)).streamId)
  return ids
}

const MAX_STREAMS = 3
const INITIAL_WINDOW = 4

it('sends nothing before it knows how many streams are allowed', async () => {
  const pool = openPool()
  const outcomes = Array.from({ length: 3 }, () => post(pool))
  const connection = await accept([MAX_STREAMS, 1])
  for (const id of [1, 3, 5]) {
    expect(await takeRequests(connection, 1)).toEqual([id])
    connection.send(ping())
    await connection.next(TYPE.ping)
    expect(connection.frames.filter(({ type }) => type === TYPE.headers)).toHaveLength((id + 1) / 2)
    connection.send(answer(id))
  }
  expect(await Promise.all(outcomes)).toEqual(['200', '200', '200'])
})

it('follows a limit that goes to nought and up again', async () => {
  const pool = openPool()
  const outcomes = Array.from({ length: 4 }, () => post(pool))
  const connection = await accept([MAX_STREAMS, 2])
  expect(await takeRequests(connection, 2)).toEqual([1, 3])
  connection.send(settings([MAX_STREAMS, 0]), answer(1), answer(3), ping())
  await connection.next(TYPE.ping)
  expect(connection.frames.filter(({ type }) => type === TYPE.headers)).toHaveLength(2)
  connection.send(settings([MAX_STREAMS, 100]))
  expect(await takeRequests(connection, 2)).toEqual([5, 7])
  connection.send(answer(7), answer(5))
  expect(await Promise.all(outcomes)).toEqual(['200', '200', '200', '200'])
})

it('gives up waiting, as never sent, where no stream is ever allowed', async () => {
  const outcome = post(openPool({ waitTimeoutMs: 50 }))
  const connection = await accept([MAX_STREAMS, 0])
  expect(await outcome).toBe('unsent no_stream_free')
  expect(connection.frames.some(({ type }) => type === TYPE.headers)).toBe(false)
})

it('sends what a GOAWAY left behind on another connection, and waits for the rest', async () => {
  const pool = openPool()
  const outcomes = [post(pool, { path: '/a' }), post(pool, { path: '/b' })]
  const first = await accept()
  await takeRequests(first, 2)
  first.send(goaway(1))
  const second = await accept()
  expect(await takeRequests(second, 1)).toEqual([1])
  second.send(answer(1))
  first.send(answer(1))
  expect(await Promise.all(outcomes)).toEqual(['200', '200'])
  await first.untilClosed()
})

it('takes a shutdown in two steps: nothing new after the first, the lower id holds', async () => {
  const pool = openPool()
  const outcomes = [post(pool), post(pool), post(pool)]
  const first = await accept()
  await takeRequests(first, 3)
  first.send(goaway(0x7fffffff), goaway(3), goaway(5))
  const second = await accept()
  await takeRequests(second, 1)
  second.send(answer(1))
  first.send(answer(1), answer(3))
  expect(await Promise.all(outcomes)).toEqual(['200', '200', '200'])
})

it('does not wait for answers below a GOAWAY with an error', async () => {
  const outcome = post(openPool())
  const connection = await accept()
  await takeRequests(connection, 1)
  connection.send(goaway(1, CODE.internal))
  expect(await outcome).toBe('ambiguous connection_lost')
})

it('gives up, as never sent, on a server that leaves every request behind', async () => {
  const outcome = post(openPool())
  for (let connection = 0; connection < 3; connection++) {
    const each = await accept()
    await takeRequests(each, 1)
    each.send(goaway(0))
  }
  expect(await outcome).toBe('unsent goaway')
})

it('does not come back at once to a server that greets and closes', async () => {
  let nowMs = 0
  const pool = openPool({ reconnectMinMs: 1000, reconnectMaxMs: 1000 }, { nowMs: () => nowMs })
  const outcome = post(pool)
  const first = await accept()
  await takeRequests(first, 1)
  first.send(goaway(0))
  await first.untilClosed()
  const connections = peer.connections.length
  // Had it come back at once, it would be here before somebody who begins now.
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
  expect(await outcome).toBe('200')
})

it('resets what is beyond its deadline, ignores its late answer and goes on', async () => {
  const pool = openPool({ requestTimeoutMs: 60 })
  const outcome = post(pool)
  const connection = await accept()
  await takeRequests(connection, 1)
  const reset = await connection.next(TYPE.rst)
  expect([reset.streamId, reset.payload.readUInt32BE(0)]).toEqual([1, CODE.cancel])
  expect(await outcome).toBe('ambiguous timeout')
  const probe = await connection.next(TYPE.ping)
  connection.send(answer(1), ping(probe.payload.toString('latin1'), FLAGS.ack))
  const second = post(pool)
  expect(await takeRequests(connection, 1)).toEqual([3])
  connection.send(answer(3))
  expect(await second).toBe('200')
})

it('probes a silent connection and keeps it when it answers', async () => {
  const pool = openPool({ idlePingMs: 30, pingTimeoutMs: 10_000 })
  const outcome = post(pool)
  const connection = await accept()
  await takeRequests(connection, 1)
  connection.send(answer(1))
  expect(await outcome).toBe('200')
  for (let probes = 0; probes < 2; probes++) {
    const probe = await connection.next(TYPE.ping)
    connection.send(ping(probe.payload.toString('latin1'), FLAGS.ack))
  }
  const second = post(pool)
  await takeRequests(connection, 1)
  connection.send(answer(3))
  expect(await second).toBe('200')
})

it('sends nothing new on a connection that has not answered a PING, and leaves it', async () => {
  const pool = openPool({ idlePingMs: 30, pingTimeoutMs: 60 })
  const outcome = post(pool)
  const first = await accept()
  await takeRequests(first, 1)
  await first.next(TYPE.ping)
  const second = post(pool)
  expect(await outcome).toBe('ambiguous connection_lost')
  const next = await accept()
  await takeRequests(next, 1)
  next.send(answer(1))
  expect(await second).toBe('200')
  expect(first.frames.filter(({ type }) => type === TYPE.headers)).toHaveLength(1)
})

it('closes a connection that nobody uses, with a GOAWAY, and opens another one when needed', async () => {
  const pool = openPool({ idleCloseMs: 40 })
  for (let round = 0; round < 2; round++) {
    const outcome = post(pool)
    const connection = await accept()
    await takeRequests(connection, 1)
    connection.send(answer(1))
    expect(await outcome).toBe('200')
    expect((await connection.next(TYPE.goaway)).payload.readUInt32BE(4)).toBe(CODE.none)
    await connection.untilClosed()
  }
})

it('sends nothing on a connection that its server closed while nobody used it', async () => {
  const pool = openPool()
  const outcome = post(pool)
  const first = await accept()
  await takeRequests(first, 1)
  first.send(answer(1))
  expect(await outcome).toBe('200')
  first.socket.destroy()
  await first.untilClosed()
  const second = post(pool)
  const next = await accept()
  await takeRequests(next, 1)
  next.send(answer(1))
  expect(await second).toBe('200')
})

it('cancels what its caller gave up, and nothing else', async () => {
  const pool = openPool()
  const abort = new AbortController()
  const outcomes = [post(pool), post(pool, { signal: abort.signal }), post(pool, { signal: abort.signal })]
  const connection = await accept([MAX_STREAMS, 2])
  await takeRequests(connection, 2)
  abort.abort()
  const reset = await connection.next(TYPE.rst)
  expect([reset.streamId, reset.payload.readUInt32BE(0)]).toEqual([3, CODE.cancel])
  connection.send(answer(1))
  expect(await Promise.all(outcomes)).toEqual(['200', 'aborted aborted', 'aborted aborted'])
})

it('says that it follows when the server makes its table smaller', async () => {
  const pool = openPool()
  const outcome = post(pool)
  const connection = await accept([1, 0])
  const first = await connection.next(TYPE.headers)
  connection.send(answer(1))
  expect(await outcome).toBe('200')
  const second = post(pool)
  const next = await connection.next(TYPE.headers)
  connection.send(answer(3))
  await second
  expect([first.payload[0], next.payload[0]]).toEqual([0x20, 0x14])
})

it('sends a body on as windows open, and never more than they admit', async () => {
  const body = 'abcdefghij'.repeat(10)
  const pool = openPool()
  const outcome = post(pool, { body })
  const connection = await accept([INITIAL_WINDOW, 10])
  const parts = [await connection.next(TYPE.data)]
  connection.send(windowUpdate(1, 5))
  parts.push(await connection.next(TYPE.data))
  // Below nought, and only then up again.
  connection.send(settings([INITIAL_WINDOW, 0]), windowUpdate(1, 30))
  parts.push(await connection.next(TYPE.data))
  connection.send(settings([INITIAL_WINDOW, 1000]))
  parts.push(await connection.next(TYPE.data))
  connection.send(answer(1))
  expect(await outcome).toBe('200')
  expect(parts.map(({ payload }) => payload.length)).toEqual([10, 5, 20, 65])
  expect(Buffer.concat(parts.map(({ payload }) => payload)).toString()).toBe(body)
  expect(parts.map(({ flags }) => flags)).toEqual([0, 0, 0, FLAGS.end])
})

it('opens no more streams once the window of the connection is used up', async () => {
  const pool = openPool()
  const outcomes = Array.from({ length: 10 }, () => post(pool, { body: 'x'.repeat(16_000) }))
  const connection = await accept()
  // 65,535 bytes: four bodies and the beginning of the fifth.
  expect(await takeRequests(connection, 5)).toEqual([1, 3, 5, 7, 9])
  connection.send(ping())
  await connection.next(TYPE.ping)
  expect(connection.frames.filter(({ type }) => type === TYPE.headers)).toHaveLength(5)
  connection.send(windowUpdate(0, 1_000_000))
  expect(await takeRequests(connection, 5)).toEqual([11, 13, 15, 17, 19])
  for (let id = 1; id < 20; id += 2) connection.send(answer(id))
  expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['200']))
})

it('goes on when a body that waited for a window is given up', async () => {
  const pool = openPool()
  const abort = new AbortController()
  const given = post(pool, { body: 'x'.repeat(65_536), signal: abort.signal })
  const connection = await accept([INITIAL_WINDOW, 1_000_000])
  // All of the connection's window, and one byte that waits.
  for (let sent = 0; sent < 65_535; ) sent += (await connection.next(TYPE.data)).payload.length
  abort.abort()
  expect(await given).toBe('aborted aborted')
  const outcome = post(pool, { body: '' })
  expect(await takeRequests(connection, 1)).toEqual([3])
  connection.send(answer(3), windowUpdate(0, 1000), ping())
  expect(await outcome).toBe('200')
  await connection.next(TYPE.ping)
  expect(connection.frames.filter(({ type }) => type === TYPE.data).every(({ flags }) => flags === 0)).toBe(true)
})

it('takes an answer that comes before the request was sent, and ends the stream', async () => {
  const pool = openPool()
  const outcome = post(pool, { body: 'x'.repeat(100) })
  const connection = await accept([INITIAL_WINDOW, 10])
  await connection.next(TYPE.data)
  connection.send(headers(1), data(1), rst(1, CODE.none))
  expect(await outcome).toBe('200')
  expect((await connection.next(TYPE.rst)).payload.readUInt32BE(0)).toBe(CODE.cancel)
})

it('keeps 64 KB of an answer and cuts off the rest', async () => {
  const pool = openPool()
  const response = pool.request({ path: '/', headers: {}, signal: never() })
  const connection = await accept()
  await takeRequests(connection, 1)
  connection.send(headers(1), ...Array.from({ length: 5 }, () => data(1, 'x'.repeat(16_000), 0)))
  const { status, body } = await response
  expect([status, body.length]).toEqual([200, 65_536])
  expect((await connection.next(TYPE.rst)).payload.readUInt32BE(0)).toBe(CODE.cancel)
})

it('tells a server that it reads, so that answers never wait', async () => {
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

it('shows its certificate to a server that asks for one', async () => {
  const server = await makeCertificates()
  const client = await generate([{ name: 'commonName', value: 'us' }], { keyType: 'ec', algorithm: 'sha256' })
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

it('connects to no address that is refused, whether written or looked up', async () => {
  const connections = peer.connections.length
  const asked: string[] = []
  const isAddressAllowed = (address: string) => {
    asked.push(address)
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
  expect(asked).toEqual(['127.0.0.1', '127.0.0.1', '::1'])
  expect(peer.connections).toHaveLength(connections)
})

it('connects to the addresses that are left', async () => {
  const origin = peer.origin.replace('127.0.0.1', 'localhost')
  const lookup: Http2PoolOptions['lookup'] = (_host, _options, callback) =>
    callback(null, [
      { address: '192.0.2.1', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ])
  const outcome = post(openPool({}, { origin, lookup, isAddressAllowed: (address) => address === '127.0.0.1' }))
  const connection = await accept()
  await takeRequests(connection, 1)
  connection.send(answer(1))
  expect(await outcome).toBe('200')
})

it('writes no batch whose headers or path are no HTTP', async () => {
  const pool = openPool()
  const outcomes: string[] = []
  await pool.send({
    count: 2,
    path: '/bad path',
    headers: {},
    signal: never(),
    onAnswer: () => outcomes.push('answered'),
    onFailure: (index, error) => outcomes.push(`${index} ${error.kind} ${error.code}`),
  })
  expect(outcomes).toEqual(['0 unsent request_invalid', '1 unsent request_invalid'])
})

it('fails the one request that can not be written, and sends the others', async () => {
  const pool = openPool()
  const outcomes: string[] = []
  const sent = pool.send({
    count: 3,
    path: (index) => (index === 1 ? '/with blank' : `/${index}`),
    headers: {},
    writeBody: (index, body) => body.text(`body ${index}`),
    signal: never(),
    onAnswer: (index, { status }) => outcomes.push(`${index} ${status}`),
    onFailure: (index, error) => outcomes.push(`${index} ${error.code}`),
  })
  const connection = await accept()
  expect(await takeRequests(connection, 2)).toEqual([1, 3])
  connection.send(answer(1), answer(3))
  await sent
  expect(outcomes).toEqual(['1 request_invalid', '0 200', '2 200'])
  const bodies = connection.frames.filter(({ type }) => type === TYPE.data).map(({ payload }) => payload.toString())
  expect(bodies).toEqual(['body 0', 'body 2'])
})

it('rejects with what a callback threw, when all the others are settled', async () => {
  const pool = openPool()
  const answered: number[] = []
  const sent = pool.send({
    count: 3,
    path: '/',
    headers: {},
    signal: never(),
    onAnswer: (index) => {
      answered.push(index)
      if (index === 0) throw new Error('of the caller')
    },
    onFailure: () => undefined,
  })
  const connection = await accept()
  for (const id of await takeRequests(connection, 3)) connection.send(answer(id))
  await expect(sent).rejects.toThrow('of the caller')
  expect(answered).toEqual([0, 1, 2])
})

it('lets a small batch pass between the requests of a large one', async () => {
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
