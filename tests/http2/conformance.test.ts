// One case for each legal and each illegal sequence of frames. A request is open on stream 1, the peer sends the
// frames, and the table defines the result of the request and the client's reaction on the wire.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Http2Response } from '../../src/http2/http2-client.ts'
import { Http2Error } from '../../src/http2/http2-error.ts'
import { Http2Pool } from '../../src/http2/http2-pool.ts'
import {
  answer,
  CODE,
  data,
  FLAGS,
  frame,
  headers,
  literal,
  OK,
  ping,
  rst,
  settings,
  TYPE,
  uint32,
  windowUpdate,
} from '../support/http2-frames.ts'
import { Http2Peer, type PeerConnection } from '../support/http2-peer.ts'
import { makeTestLogger } from '../support/run-log.ts'

let peer: Http2Peer
let pool: Http2Pool
beforeAll(async () => {
  peer = await Http2Peer.start()
})
afterAll(() => peer.stop())
afterEach(() => pool.close())

function openPool(): void {
  pool = new Http2Pool({
    origin: peer.origin,
    ca: peer.ca,
    maxConnections: 1,
    timing: { requestTimeoutMs: 5000, reconnectMinMs: 1 },
    logger: makeTestLogger(),
  })
}

type Result = { status: number; body: string; headers: Record<string, string> } | { kind: string; code: string }

function post(body = 'x'): Promise<Result> {
  const signal = new AbortController().signal
  const answerHeaders = ['retry-after', 'apns-id', 'location', 'content-type']
  return pool
    .request({ path: '/', headers: {}, body: Buffer.from(body), answerHeaders, signal })
    .then(resultOf, failure)
}

function resultOf({ status, headers: fields, body }: Http2Response): Result {
  return { status, body: body.toString(), headers: Object.fromEntries(fields) }
}

function failure(error: unknown): Result {
  if (!(error instanceof Http2Error)) throw error
  return { kind: error.kind, code: error.code }
}

/** Opens a request on stream 1 of a new connection. */
async function openRequest(): Promise<{ connection: PeerConnection; result: Promise<Result> }> {
  openPool()
  const result = post()
  const connection = await peer.nextConnection()
  connection.greet()
  await connection.next(TYPE.headers)
  return { connection, result }
}

const answered = (body = 'ok', fields: Record<string, string> = {}, status = 200): Result => ({
  status,
  body,
  headers: fields,
})
const AMBIGUOUS = { kind: 'ambiguous', code: 'answer_invalid' }
const VIOLATION = { kind: 'ambiguous', code: 'protocol_error' }

const RETRY_AFTER = Buffer.concat([Buffer.from([0x0f, 53 - 15, 2]), Buffer.from('30')])
/** 410 and 429 as Huffman literals, because the static table does not contain them. */
const TOO_MANY = Buffer.from('4883684fff', 'hex')
const GONE = Buffer.from('48826820', 'hex')
const longBlock = Buffer.concat([OK, ...Array.from({ length: 40 }, (_, i) => literal(`x-${i}`, 'y'.repeat(100)))])

/** Legal frames: the request is answered, and the connection stays open. */
const LEGAL: [name: string, frames: () => Buffer[], expected: Result][] = [
  ['headers and data', () => [answer(1)], answered()],
  ['headers alone', () => [headers(1, OK, FLAGS.endHeaders | FLAGS.end)], answered('')],
  ['data in many frames', () => [headers(1), data(1, 'a', 0), data(1, 'b', 0), data(1, 'c')], answered('abc')],
  ['an empty frame at the end', () => [headers(1), data(1, 'ok', 0), data(1, '')], answered()],
  [
    'a wanted header',
    () => [headers(1, Buffer.concat([OK, RETRY_AFTER])), data(1)],
    answered('', { 'retry-after': '30' }),
  ],
  [
    'the first of two values',
    () => [headers(1, Buffer.concat([OK, literal('apns-id', 'a'), literal('apns-id', 'b')])), data(1)],
    answered('', { 'apns-id': 'a' }),
  ],
  ['a status in Huffman code', () => [headers(1, GONE), data(1)], answered('', {}, 410)],
  ['another status in Huffman code', () => [headers(1, TOO_MANY), data(1)], answered('', {}, 429)],
  ['a table size of 0', () => [headers(1, Buffer.concat([Buffer.from([0x20]), OK])), data(1)], answered('')],
  [
    'a literal with incremental indexing',
    () => [headers(1, Buffer.concat([OK, Buffer.from([0x40, 1, 0x78, 1, 0x79])])), data(1)],
    answered(''),
  ],
  [
    'CONTINUATION',
    () => [
      headers(1, longBlock.subarray(0, 100), 0),
      frame(TYPE.continuation, 0, 1, longBlock.subarray(100, 2000)),
      frame(TYPE.continuation, 0, 1),
      frame(TYPE.continuation, FLAGS.endHeaders, 1, longBlock.subarray(2000)),
      data(1, 'ok'),
    ],
    answered(),
  ],
  [
    'END_STREAM on HEADERS with CONTINUATION',
    () => [headers(1, OK.subarray(0, 0), FLAGS.end), frame(TYPE.continuation, FLAGS.endHeaders, 1, OK)],
    answered(''),
  ],
  [
    'padding',
    () => [
      headers(1, Buffer.concat([Buffer.from([3]), OK, Buffer.alloc(3)]), FLAGS.endHeaders | FLAGS.padded),
      data(1, '\x05ok\0\0\0\0\0', FLAGS.end | FLAGS.padded),
    ],
    answered(),
  ],
  ['a frame of padding only', () => [headers(1), data(1, '\x02\0\0', FLAGS.padded), data(1, 'ok')], answered()],
  [
    'a priority in HEADERS',
    () => [
      headers(1, Buffer.concat([uint32(0), Buffer.from([1]), OK]), FLAGS.endHeaders | FLAGS.priority),
      data(1, 'ok'),
    ],
    answered(),
  ],
  ['PRIORITY', () => [frame(TYPE.priority, 0, 1, '12345'), answer(1)], answered()],
  ['PRIORITY for an idle stream', () => [frame(TYPE.priority, 0, 99, '12345'), answer(1)], answered()],
  ['unknown frames', () => [frame(0xa, 7, 1, 'x'), frame(0xff, 0, 0, ''), answer(1)], answered()],
  ['unknown settings', () => [settings([0x99, 1], [0xff, 2]), answer(1)], answered()],
  ['empty SETTINGS', () => [settings(), answer(1)], answered()],
  ['SETTINGS at their limits', () => [settings([4, 0x7fffffff], [5, 0xffffff], [2, 0], [1, 0]), answer(1)], answered()],
  ['PING', () => [ping(), answer(1)], answered()],
  ['an answer to no PING', () => [ping('12345678', FLAGS.ack), answer(1)], answered()],
  [
    'informational answers',
    () => [headers(1, literal(':status', '103')), headers(1, literal(':status', '100')), answer(1)],
    answered(),
  ],
  [
    'trailers',
    () => [headers(1), data(1, 'ok', 0), headers(1, literal('x', 'y'), FLAGS.endHeaders | FLAGS.end)],
    answered(),
  ],
  ['WINDOW_UPDATE', () => [windowUpdate(0, 1), windowUpdate(1, 0x7fffffff), answer(1)], answered()],
  [
    'undefined flags',
    () => [headers(1, OK, 0xff & ~FLAGS.padded & ~FLAGS.priority & ~FLAGS.end), data(1, 'ok', 0xf7)],
    answered(),
  ],
  ['the reserved bit of the stream id', () => [headers(0x80000001), data(0x80000001, 'ok')], answered()],
  ['frames on a closed stream', () => [answer(1), windowUpdate(1, 9), rst(1, 0), data(1), headers(1)], answered()],
]

describe('a legal answer', () => {
  it.each(LEGAL)('with %s is read, and the connection stays open', async (_name, frames, expected) => {
    const { connection, result } = await openRequest()
    connection.send(...frames())
    expect(await result).toEqual(expected)
    const second = post()
    await connection.next(TYPE.headers)
    connection.send(answer(3, 'second'))
    expect(await second).toEqual(answered('second'))
    expect(peer.connections.at(-1)).toBe(connection)
    expect(connection.frames.filter(({ type }) => type === TYPE.goaway || type === TYPE.rst)).toEqual([])
  })
})

/** Connection errors, and the code of the GOAWAY. */
const CONNECTION_ERRORS: [name: string, frames: () => Buffer[], code: number][] = [
  ['DATA on stream 0', () => [data(0, 'x')], CODE.protocol],
  ['DATA on an idle stream', () => [data(9, 'x')], CODE.protocol],
  ['DATA on a stream of the server', () => [data(2, 'x')], CODE.protocol],
  ['padding longer than its DATA', () => [headers(1), data(1, '\x09xx', FLAGS.padded)], CODE.protocol],
  ['padded DATA without a padding length', () => [headers(1), data(1, '', FLAGS.padded)], CODE.frameSize],
  ['HEADERS on stream 0', () => [headers(0)], CODE.protocol],
  ['HEADERS on an idle stream', () => [headers(3)], CODE.protocol],
  ['HEADERS on a stream of the server', () => [headers(2)], CODE.protocol],
  [
    'padding longer than its HEADERS',
    () => [headers(1, Buffer.from([9, 0x88]), FLAGS.endHeaders | FLAGS.padded)],
    CODE.protocol,
  ],
  ['HEADERS too short for a priority', () => [headers(1, OK, FLAGS.endHeaders | FLAGS.priority)], CODE.protocol],
  ['a frame between HEADERS and CONTINUATION', () => [headers(1, OK, 0), ping()], CODE.protocol],
  ['CONTINUATION of another stream', () => [headers(1, OK, 0), frame(TYPE.continuation, 4, 3)], CODE.protocol],
  ['CONTINUATION without HEADERS', () => [frame(TYPE.continuation, 4, 1, OK)], CODE.protocol],
  ['an index of a dynamic table', () => [headers(1, Buffer.from([0x88, 0xbe]))], CODE.compression],
  ['index 0', () => [headers(1, Buffer.from([0x80]))], CODE.compression],
  ['a name from a dynamic table', () => [headers(1, Buffer.from([0x88, 0x7e, 1, 0x78]))], CODE.compression],
  ['a table size above the limit', () => [headers(1, Buffer.from([0x3f, 0xe1, 0x1f, 0x88]))], CODE.compression],
  ['a table size update after a field', () => [headers(1, Buffer.from([0x88, 0x20]))], CODE.compression],
  ['a field cut off', () => [headers(1, Buffer.from([0x88, 0x00, 0x05, 0x61]))], CODE.compression],
  ['a field without its value', () => [headers(1, Buffer.from([0x88, 0x0f]))], CODE.compression],
  [
    'an integer without end',
    () => [headers(1, Buffer.from([0x88, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))],
    CODE.compression,
  ],
  ['Huffman code with EOS', () => [headers(1, Buffer.from([0x48, 0x84, 0xff, 0xff, 0xff, 0xff]))], CODE.compression],
  ['Huffman padding of a whole byte', () => [headers(1, Buffer.from('48836820ff', 'hex'))], CODE.compression],
  ['Huffman padding of zeros', () => [headers(1, Buffer.from('4883684f80', 'hex'))], CODE.compression],
  ['PRIORITY on stream 0', () => [frame(TYPE.priority, 0, 0, '12345')], CODE.protocol],
  ['RST_STREAM on stream 0', () => [rst(0, 0)], CODE.protocol],
  ['RST_STREAM of an idle stream', () => [rst(3, 0)], CODE.protocol],
  ['RST_STREAM of the wrong size', () => [frame(TYPE.rst, 0, 1, 'x')], CODE.frameSize],
  ['SETTINGS on a stream', () => [frame(TYPE.settings, 0, 1)], CODE.protocol],
  ['SETTINGS cut off', () => [frame(TYPE.settings, 0, 0, '12345')], CODE.frameSize],
  ['an acknowledgement with settings', () => [frame(TYPE.settings, FLAGS.ack, 0, '123456')], CODE.frameSize],
  ['an initial window too large', () => [settings([4, 0x80000000])], CODE.flowControl],
  ['a frame size too small in SETTINGS', () => [settings([5, 16383])], CODE.protocol],
  ['a frame size too large in SETTINGS', () => [settings([5, 0x1000000])], CODE.protocol],
  ['SETTINGS_ENABLE_PUSH 1', () => [settings([2, 1])], CODE.protocol],
  ['PUSH_PROMISE', () => [frame(TYPE.push, 4, 1, Buffer.concat([uint32(2), OK]))], CODE.protocol],
  ['PING on a stream', () => [frame(TYPE.ping, 0, 1, '12345678')], CODE.protocol],
  ['PING of the wrong size', () => [ping('1234567')], CODE.frameSize],
  ['GOAWAY on a stream', () => [frame(TYPE.goaway, 0, 1, uint32(0, 0))], CODE.protocol],
  ['GOAWAY cut off', () => [frame(TYPE.goaway, 0, 0, 'xxxxxxx')], CODE.frameSize],
  ['WINDOW_UPDATE of the wrong size', () => [frame(TYPE.window, 0, 0, 'xxx')], CODE.frameSize],
  ['WINDOW_UPDATE by 0', () => [windowUpdate(0, 0)], CODE.protocol],
  ['WINDOW_UPDATE of an idle stream', () => [windowUpdate(5, 1)], CODE.protocol],
  ['a window above its limit', () => [windowUpdate(0, 0x7fffffff)], CODE.flowControl],
  ['a frame above the limit', () => [headers(1), data(1, 'x'.repeat(16_385))], CODE.frameSize],
  [
    'a header block without end',
    () => Array.from({ length: 6 }, (_, i) => frame(i ? TYPE.continuation : TYPE.headers, 0, 1, Buffer.alloc(16_000))),
    CODE.calm,
  ],
  ['a flood of PING', () => Array.from({ length: 10_000 }, () => ping()), CODE.calm],
  ['a flood of SETTINGS', () => Array.from({ length: 10_000 }, () => settings()), CODE.calm],
  ['a flood of empty DATA', () => [headers(1), ...Array.from({ length: 10_000 }, () => data(1, '', 0))], CODE.calm],
  ['a flood of RST_STREAM', () => [answer(1), ...Array.from({ length: 10_000 }, () => rst(1, 8))], CODE.calm],
  ['a flood of WINDOW_UPDATE', () => Array.from({ length: 10_000 }, () => windowUpdate(0, 1)), CODE.calm],
  ['a flood of PRIORITY', () => Array.from({ length: 10_000 }, () => frame(TYPE.priority, 0, 1, '12345')), CODE.calm],
  ['a flood of unknown frames', () => Array.from({ length: 10_000 }, () => frame(0xee, 0, 0)), CODE.calm],
  [
    'a flood of empty CONTINUATION',
    () => [headers(1, OK, 0), ...Array.from({ length: 10_000 }, () => frame(TYPE.continuation, 0, 1))],
    CODE.calm,
  ],
  [
    'a flood of informational answers',
    () => Array.from({ length: 10_000 }, () => headers(1, literal(':status', '103'))),
    CODE.calm,
  ],
]

describe('a connection', () => {
  it.each(CONNECTION_ERRORS)('ends with GOAWAY after %s', async (name, frames, code) => {
    const { connection, result } = await openRequest()
    connection.send(...frames())
    expect(await result).toEqual(name.includes('flood of RST') ? answered() : VIOLATION)
    const { payload } = await connection.next(TYPE.goaway)
    expect(payload.readUInt32BE(4)).toBe(code)
  })

  it.each([
    ['another frame', () => ping()],
    ['an acknowledgement', () => frame(TYPE.settings, FLAGS.ack, 0)],
    ['HTTP/1.1', () => Buffer.from('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n')],
  ])('sends no request when the server begins with %s instead of SETTINGS', async (_name, first) => {
    openPool()
    const result = post()
    const connection = await peer.nextConnection()
    connection.send(first())
    expect(await result).toEqual({ kind: 'unsent', code: 'protocol_error' })
    await connection.untilClosed()
    expect(connection.frames.some(({ type }) => type === TYPE.headers)).toBe(false)
  })
})

/** Stream errors, and the code of the RST_STREAM. */
const STREAM_ERRORS: [name: string, frames: () => Buffer[], code: number][] = [
  ['DATA before HEADERS', () => [data(1, 'x')], CODE.protocol],
  ['no status', () => [headers(1, literal('x', 'y'))], CODE.protocol],
  ['an empty header block', () => [headers(1, Buffer.alloc(0))], CODE.protocol],
  ['two statuses', () => [headers(1, Buffer.concat([OK, OK]))], CODE.protocol],
  ['a status after a field', () => [headers(1, Buffer.concat([literal('x', 'y'), OK]))], CODE.protocol],
  ['an invalid status', () => [headers(1, literal(':status', '2x0'))], CODE.protocol],
  ['a status of four digits', () => [headers(1, literal(':status', '2000'))], CODE.protocol],
  ['a pseudo-header of requests', () => [headers(1, Buffer.concat([OK, Buffer.from([0x84])]))], CODE.protocol],
  ['an unknown pseudo-header', () => [headers(1, Buffer.concat([OK, literal(':x', 'y')]))], CODE.protocol],
  ['a name in upper case', () => [headers(1, Buffer.concat([OK, literal('X', 'y')]))], CODE.protocol],
  ['a space in a name', () => [headers(1, Buffer.concat([OK, literal('a b', 'y')]))], CODE.protocol],
  ['an empty name', () => [headers(1, Buffer.concat([OK, literal('', 'y')]))], CODE.protocol],
  ['trailers without END_STREAM', () => [headers(1), headers(1, literal('x', 'y'))], CODE.protocol],
  ['an informational answer with END_STREAM', () => [headers(1, literal(':status', '103'), 5)], CODE.protocol],
  ['a switch of protocols', () => [headers(1, literal(':status', '101'))], CODE.protocol],
  [
    'headers above the limit',
    () => [
      headers(1, Buffer.concat([OK, ...Array.from({ length: 120 }, () => literal('x', 'y'.repeat(120)))]), 0),
      frame(TYPE.continuation, 4, 1, Buffer.concat(Array.from({ length: 10 }, () => literal('x', 'y'.repeat(120))))),
    ],
    CODE.protocol,
  ],
  ['WINDOW_UPDATE by 0', () => [windowUpdate(1, 0)], CODE.protocol],
  ['PRIORITY of the wrong size', () => [frame(TYPE.priority, 0, 1, '1234')], CODE.frameSize],
]

describe('an answer', () => {
  it.each(STREAM_ERRORS)('with %s resets the stream, and the connection stays open', async (_name, frames, code) => {
    const { connection, result } = await openRequest()
    connection.send(...frames())
    expect(await result).toEqual(AMBIGUOUS)
    const reset = await connection.next(TYPE.rst)
    expect([reset.streamId, reset.payload.readUInt32BE(0)]).toEqual([1, code])
    const second = post()
    await connection.next(TYPE.headers)
    connection.send(answer(3))
    expect(await second).toEqual(answered())
  })
})

const RESETS: [name: string, frames: () => Buffer[], expected: Result][] = [
  ['before an answer', () => [rst(1, CODE.internal)], { kind: 'ambiguous', code: 'stream_reset' }],
  ['without an error and without an answer', () => [rst(1, CODE.none)], { kind: 'ambiguous', code: 'stream_reset' }],
  [
    'within an answer',
    () => [headers(1), data(1, 'o', 0), rst(1, CODE.cancel)],
    { kind: 'ambiguous', code: 'stream_reset' },
  ],
  [
    'as refused after the headers of its answer',
    () => [headers(1), rst(1, CODE.refused)],
    { kind: 'ambiguous', code: 'stream_reset' },
  ],
  ['after a complete answer', () => [answer(1), rst(1, CODE.none)], answered()],
]

describe('a reset stream', () => {
  it.each(RESETS)('%s', async (_name, frames, expected) => {
    const { connection, result } = await openRequest()
    connection.send(...frames())
    expect(await result).toEqual(expected)
  })

  it('as refused is sent again', async () => {
    const { connection, result } = await openRequest()
    connection.send(rst(1, CODE.refused))
    expect((await connection.next(TYPE.headers)).streamId).toBe(3)
    connection.send(answer(3))
    expect(await result).toEqual(answered())
  })
})
