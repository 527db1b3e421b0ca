// Requests of a batch whose confirmation has ended remain queued until it is renewed.
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import type { Confirmation, Http2Batch } from '../../src/http2/http2-client.ts'
import { Http2Pool } from '../../src/http2/http2-pool.ts'
import { answer, parseFrames, ping, rst, settings, TYPE, windowUpdate } from '../support/http2-frames.ts'
import { Http2Peer, type PeerConnection } from '../support/http2-peer.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { startSession } from '../support/test-session.ts'

const MAX_STREAMS = 3
const INITIAL_WINDOW = 4

let peer: Http2Peer
beforeAll(async () => {
  peer = await Http2Peer.start()
})
afterAll(() => peer.stop())

/** A confirmation that the test ends and renews. */
class TestConfirmation implements Confirmation {
  untilMs = Number.POSITIVE_INFINITY
  asked = 0
  #waiting: (() => void)[] = []

  end(): void {
    this.untilMs = Number.NEGATIVE_INFINITY
  }

  renew(): void {
    this.untilMs = Number.POSITIVE_INFINITY
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  renewed(): Promise<void> {
    this.asked++
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}

/** Sends a batch of `count` requests to the peer, which allows one stream. */
async function start(count: number, confirmation: TestConfirmation, isWithdrawn?: (index: number) => boolean) {
  const pool = new Http2Pool({ origin: peer.origin, ca: peer.ca, maxConnections: 1, logger: makeTestLogger() })
  onTestFinished(() => pool.close())
  const stop = new AbortController()
  const results: string[] = []
  const batch: Http2Batch = {
    count,
    path: (index) => `/${index}`,
    headers: {},
    signal: stop.signal,
    confirmation,
    isWithdrawn,
    onAnswer: (index) => results.push(`${index} answered`),
    onFailure: (index, { kind, code }) => results.push(`${index} ${kind} ${code}`),
  }
  const sent = pool.send(batch)
  const connection = await peer.nextConnection()
  connection.greet([MAX_STREAMS, 1])
  return { pool, connection, sent, results, stop }
}

/** Sends frames, and resolves when the client has read them and had time to send requests. */
async function exchange(connection: PeerConnection, ...frames: Buffer[]): Promise<void> {
  connection.send(...frames, ping())
  await connection.next(TYPE.ping)
  connection.send(ping())
  await connection.next(TYPE.ping)
}

const countRequests = ({ frames }: PeerConnection) => frames.filter(({ type }) => type === TYPE.headers).length

it('fills no free stream after the end of a confirmation, and goes on when it is renewed', async () => {
  const confirmation = new TestConfirmation()
  const { pool, connection, sent, results } = await start(2, confirmation)
  await connection.next(TYPE.headers)
  confirmation.end()
  await exchange(connection, answer(1))
  expect([results, countRequests(connection), confirmation.asked]).toEqual([['0 answered'], 1, 1])
  // Requests of others are sent meanwhile.
  const other = pool.request({ path: '/other', headers: {}, signal: new AbortController().signal })
  const { streamId } = await connection.next(TYPE.headers)
  connection.send(answer(streamId))
  expect((await other).status).toBe(200)
  confirmation.renew()
  const next = await connection.next(TYPE.headers)
  connection.send(answer(next.streamId))
  await sent
  expect(results).toEqual(['0 answered', '1 answered'])
})

it('fails requests that are withdrawn while they are unconfirmed, and sends the others in their order', async () => {
  const confirmation = new TestConfirmation()
  confirmation.end()
  const { connection, sent, results } = await start(3, confirmation, (index) => index === 1)
  await exchange(connection)
  confirmation.renew()
  for (let request = 0; request < 2; request++) {
    connection.send(answer((await connection.next(TYPE.headers)).streamId))
  }
  await sent
  expect(results).toEqual(['1 aborted aborted', '0 answered', '2 answered'])
})

it('ends a batch whose requests are all withdrawn, although its confirmation is not valid again', async () => {
  const confirmation = new TestConfirmation()
  confirmation.end()
  const { connection, sent, results } = await start(2, confirmation, () => confirmation.asked > 0)
  await exchange(connection)
  confirmation.renew()
  confirmation.end()
  await sent
  expect([results, countRequests(connection)]).toEqual([['0 aborted aborted', '1 aborted aborted'], 0])
})

it('asks again when a renewed confirmation has ended already', async () => {
  const confirmation = new TestConfirmation()
  confirmation.end()
  const { connection, sent, results } = await start(1, confirmation)
  await exchange(connection)
  const { asked } = confirmation
  confirmation.renew()
  confirmation.end()
  await exchange(connection)
  expect([asked, confirmation.asked, countRequests(connection)]).toEqual([1, 2, 0])
  confirmation.renew()
  connection.send(answer((await connection.next(TYPE.headers)).streamId))
  await sent
  expect(results).toEqual(['0 answered'])
})

it('fails unconfirmed requests when their batch is aborted, and when the pool is closed', async () => {
  for (const [end, result] of [
    ['abort', '0 aborted aborted'],
    ['close', '0 unsent closed'],
  ] as const) {
    const confirmation = new TestConfirmation()
    confirmation.end()
    const { pool, connection, sent, results, stop } = await start(1, confirmation)
    await exchange(connection)
    if (end === 'abort') stop.abort()
    else void pool.close()
    await sent
    confirmation.renew()
    expect([results, countRequests(connection)]).toEqual([[result], 0])
  }
})

/** A session with a request whose body waits for the window of its stream. */
function startBlocked() {
  const { session, source, results } = startSession(1, ['body'])
  const confirmation = new TestConfirmation()
  const batch = { ...source.batch, confirmation }
  session.receive(settings([INITIAL_WINDOW, 0]))
  session.open({ ...source, batch }, 0, 0)
  session.takeOutput()
  return { session, results, confirmation, batch }
}

const typesOf = (written: Buffer) => parseFrames(written).frames.map(({ type }) => type)

it('sends the rest of a body when the peer allows it', () => {
  const { session } = startBlocked()
  session.receive(windowUpdate(1, 100))
  expect(typesOf(session.takeOutput())).toEqual([TYPE.data])
})

it('resets a request instead of sending the rest of its body after the end of the confirmation', () => {
  const { session, results, confirmation } = startBlocked()
  confirmation.end()
  session.receive(windowUpdate(1, 100))
  expect(session.takeOutput()).toEqual(rst(1, 8))
  expect(results).toEqual([['interrupted']])
})

it('resets a request instead of sending the rest of its body when it is outdated', () => {
  const { session, results, batch } = startBlocked()
  Object.assign(batch, { isWithdrawn: () => true, isOutdated: () => false })
  session.receive(windowUpdate(1, 1))
  expect(results).toEqual([[]])
  Object.assign(batch, { isOutdated: () => true })
  session.receive(windowUpdate(1, 1))
  expect(results).toEqual([['interrupted']])
})

it('takes requests back that were written but not sent, as if they had never been opened', () => {
  const { session, source, results } = startSession(4, ['a', 'x'.repeat(60_000), 'x'.repeat(60_000), 'd'])
  const confirmation = new TestConfirmation()
  const confirmed = { ...source, batch: { ...source.batch, confirmation } }
  session.receive(settings())
  session.takeOutput()
  session.open(source, 0, 0)
  const first = parseFrames(session.takeOutput()).frames.map(({ streamId }) => streamId)
  session.receive(ping())
  confirmation.end()
  session.open(confirmed, 1, 0)
  session.open(confirmed, 2, 0)
  expect(typesOf(session.takeOutput())).toEqual([TYPE.ping])
  expect(results).toEqual([[], ['interrupted'], ['interrupted'], []])
  // The window that their bodies would have used is free, and so are their ids.
  session.open(source, 1, 0)
  const { frames } = parseFrames(session.takeOutput())
  const bytes = frames.reduce((sum, { type, payload }) => sum + (type === TYPE.data ? payload.length : 0), 0)
  expect([first, new Set(frames.map(({ streamId }) => streamId)), bytes]).toEqual([[1, 1], new Set([3]), 60_000])
})
