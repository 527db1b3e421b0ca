// A server sends any frames in any chunks: the client never throws, never hangs, and completes every request once.
import { expect, it } from 'vitest'
import { Http2Pool } from '../../src/http2/http2-pool.ts'
import { makeCertificates } from '../../src/simulators/certificates.ts'
import { fc } from '../support/fast-check.ts'
import { frame, headers, literal, OK, PREFACE, parseFrames, settings, TYPE, uint32 } from '../support/http2-frames.ts'
import { Http2Peer, type PeerConnection } from '../support/http2-peer.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { startSession } from '../support/test-session.ts'

const REQUESTS = 5

const streamId = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(1, 3, 5, 7, 9) },
  { weight: 1, arbitrary: fc.constantFrom(0, 2, 11, 0x7fffffff) },
)
const block = fc.oneof(
  { weight: 4, arbitrary: fc.constant(OK) },
  { weight: 1, arbitrary: fc.constant(literal('x', 'y')) },
  { weight: 1, arbitrary: fc.constant(Buffer.concat([OK, literal('apns-id', 'z')])) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) },
)
const flags = fc.oneof(fc.constantFrom(0, 1, 4, 5), fc.nat(255))
const payload = fc.uint8Array({ maxLength: 40 })

/** Mostly valid frames, some invalid ones, and random bytes. */
const anyFrame = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(streamId, block, fc.constantFrom(4, 5)).map(([id, b, f]) => headers(id, b, f)) },
  {
    weight: 6,
    arbitrary: fc.tuple(streamId, payload, fc.constantFrom(0, 1, 1)).map(([id, p, f]) => frame(0, f, id, p)),
  },
  { weight: 2, arbitrary: fc.tuple(streamId, fc.nat(13)).map(([id, code]) => frame(TYPE.rst, 0, id, uint32(code))) },
  {
    weight: 2,
    arbitrary: fc
      .array(fc.tuple(fc.nat(7), fc.oneof(fc.nat(100), fc.nat(0x7fffffff))), { maxLength: 3 })
      .map((pairs) => settings(...pairs)),
  },
  { weight: 1, arbitrary: fc.constantFrom(frame(TYPE.ping, 0, 0, '12345678'), frame(TYPE.ping, 1, 0, '12345678')) },
  { weight: 1, arbitrary: fc.tuple(streamId, fc.nat(0x7fffffff)).map(([id, by]) => frame(8, 0, id, uint32(by))) },
  { weight: 1, arbitrary: fc.tuple(fc.nat(10), fc.nat(13)).map(([last, code]) => frame(7, 0, 0, uint32(last, code))) },
  { weight: 1, arbitrary: fc.tuple(fc.nat(12), flags, streamId, payload).map((parts) => frame(...parts)) },
  { weight: 1, arbitrary: payload.map((bytes) => Buffer.from(bytes)) },
)
const script = fc.array(anyFrame, { maxLength: 30 })

/** Splits bytes into chunks of the given sizes, which repeat. */
function split(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0, chunk = 0; at < bytes.length; chunk++) {
    const size = sizes[chunk % sizes.length] ?? bytes.length
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks
}

const sizes = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 })

it('completes every request once and writes complete frames, for any received frames', () => {
  void fc.assert(
    fc.property(script, sizes, (frames, chunkSizes) => {
      const { session, source, results } = startSession(REQUESTS, ['a', 'b'.repeat(70_000), '', 'd', 'e'])
      session.writePreface()
      let _isOpen = session.receive(settings())
      for (let index = 0; index < REQUESTS; index++) session.open(source, index, index)
      for (const chunk of split(Buffer.concat(frames), chunkSizes)) _isOpen &&= session.receive(chunk)
      session.failOverdue(50)
      session.abort(startSession(1).source)
      session.failOverdue(1000)
      session.failAll('connection_lost')
      expect(results.map(({ length }) => length)).toEqual(Array(REQUESTS).fill(1))
      expect(session.openStreams).toBe(0)
      const written = session.out.take().subarray(PREFACE.length)
      expect(parseFrames(written).length).toBe(written.length)
    }),
    { numRuns: 5000 },
  )
})

it('reads the same frames from any chunks', () => {
  void fc.assert(
    fc.property(script, sizes, (frames, chunkSizes) => {
      const bytes = Buffer.concat([settings(), ...frames])
      const read = (chunks: Buffer[]) => {
        const { session, source, results } = startSession(REQUESTS)
        for (let index = 0; index < REQUESTS; index++) session.open(source, index, 0)
        let isOpen = true
        for (const chunk of chunks) isOpen &&= session.receive(chunk)
        return { results, isOpen, written: session.out.take().toString('hex') }
      }
      expect(read(split(bytes, chunkSizes))).toEqual(read([bytes]))
    }),
    { numRuns: 2000 },
  )
})

it('completes every request once over TLS', async () => {
  const certificates = await makeCertificates()
  await fc.assert(
    fc.asyncProperty(script, async (frames) => {
      // The first connection sends the frames of the script, the others send SETTINGS and close.
      const onConnection = async (connection: PeerConnection, number: number) => {
        connection.greet()
        if (number === 1 && (await connection.nextOf(TYPE.headers))) connection.send(...frames)
        else connection.socket.end()
      }
      const peer = await Http2Peer.start({ certificates, onConnection: (...each) => void onConnection(...each) })
      const pool = new Http2Pool({
        origin: peer.origin,
        ca: peer.ca,
        maxConnections: 1,
        timing: { requestTimeoutMs: 40, pingTimeoutMs: 40, waitTimeoutMs: 200, reconnectMinMs: 1, reconnectMaxMs: 1 },
        logger: makeTestLogger(),
      })
      const completed = Array.from({ length: REQUESTS }, () => 0)
      const count = (index: number) => {
        completed[index] = (completed[index] ?? 0) + 1
      }
      const signal = new AbortController().signal
      await pool.send({ count: REQUESTS, path: '/', headers: {}, signal, onAnswer: count, onFailure: count })
      await Promise.all([pool.close(), peer.stop()])
      expect(completed).toEqual(Array(REQUESTS).fill(1))
    }),
    { numRuns: 60 },
  )
})
