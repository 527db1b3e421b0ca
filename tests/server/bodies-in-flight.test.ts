import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EDGE_KEY, type Edge, startEdge } from '../support/edge.ts'

const KIB = 1024
/** A quarter of this is for small bodies, so one large body fits into the rest, and two don't. */
const BUDGET = 1024 * KIB
const LARGE = 500 * KIB
const SMALL = 100 * KIB

let edge: Edge
/** Ends the calls of `device_register` that have begun, and all later ones. */
let answerAll: () => void
let calls: number
const sockets = new Set<Socket>()

beforeEach(async () => {
  const answered = new Promise<void>((resolve) => {
    answerAll = resolve
  })
  calls = 0
  const device_register = async () => {
    calls++
    await answered
    return {}
  }
  edge = await startEdge({ handlers: { device_register }, maxBodiesBytes: BUDGET })
})
afterEach(async () => {
  answerAll()
  for (const socket of sockets) socket.destroy()
  await edge.stop()
})

/** Sends the head of a request. */
async function begin(header: string, method = 'device_register') {
  const { hostname, port } = new URL(edge.url)
  const socket = connect(Number(port), hostname)
  sockets.add(socket)
  // Writes to a closed connection may fail. The test does not check that.
  socket.on('error', () => {})
  await once(socket, 'connect')
  const answer = once(socket, 'data').then(([data]) => String(data))
  socket.write(`POST /api/${method} HTTP/1.1\r\nhost: x\r\nx-api-key: ${EDGE_KEY}\r\n${header}\r\n\r\n`)
  return { socket, answer, status: answer.then((text) => Number(text.split(' ')[1])) }
}

const beginBody = (bytes: number, method?: string) => begin(`content-length: ${bytes}`, method)
const bodyOf = (bytes: number) => `{}${' '.repeat(bytes - 2)}`

/** Sends a whole request. Its call ends after `answerAll`. */
async function hold(bytes: number) {
  const before = calls
  const request = await beginBody(bytes)
  request.socket.write(bodyOf(bytes))
  await expect.poll(() => calls).toBe(before + 1)
  return request
}

/** The status for a request of this size; 200 for a whole one. */
async function statusOf(bytes: number): Promise<number> {
  const { socket, status } = await beginBody(bytes, 'cancel_push')
  socket.write(bodyOf(bytes))
  return await status
}

const refused = (answer: string) => ({
  status: Number(answer.split(' ')[1]),
  retryAfter: /^retry-after: (\d+)\r$/im.exec(answer)?.[1],
  close: /^connection: close\r$/im.test(answer),
})

describe('beyond the sum of all bodies', () => {
  test('a request is answered with 503 and Retry-After before its body is sent', async () => {
    await hold(LARGE)
    const { answer } = await beginBody(LARGE)
    expect(refused(await answer)).toEqual({ status: 503, retryAfter: '2', close: true })
    expect(calls).toBe(1)
  })

  test('a body that was announced counts before it is sent', async () => {
    await beginBody(LARGE)
    await expect.poll(() => statusOf(LARGE)).toBe(503)
  })

  test('a body without a length counts as it comes', async () => {
    await hold(LARGE)
    const { socket, answer } = await begin('transfer-encoding: chunked')
    for (let sent = 0; sent < LARGE; sent += SMALL) {
      socket.write(`${SMALL.toString(16)}\r\n${' '.repeat(SMALL)}\r\n`)
    }
    expect(refused(await answer)).toEqual({ status: 503, retryAfter: '2', close: true })
    expect(calls).toBe(1)
  })

  test('small requests are accepted up to their own share', async () => {
    await hold(LARGE)
    const small = [await hold(SMALL), await hold(SMALL)]
    expect(await (await beginBody(SMALL)).status).toBe(503)
    answerAll()
    for (const { status } of small) expect(await status).toBe(200)
  })
})

describe('a body counts until', () => {
  test('its request is answered', async () => {
    const first = await hold(LARGE)
    expect(await statusOf(LARGE)).toBe(503)
    answerAll()
    expect(await first.status).toBe(200)
    await expect.poll(() => statusOf(LARGE)).toBe(200)
  })

  test('its client stops sending it', async () => {
    const { socket } = await beginBody(LARGE)
    await expect.poll(() => statusOf(LARGE)).toBe(503)
    socket.destroy()
    await expect.poll(() => statusOf(LARGE)).toBe(200)
  })

  test('its call has ended, when the client has gone before', async () => {
    const { socket } = await hold(LARGE)
    const closed = once(socket, 'close')
    socket.destroy()
    await closed
    expect(await statusOf(LARGE)).toBe(503)
    answerAll()
    await expect.poll(() => statusOf(LARGE)).toBe(200)
  })

  test('it is refused, because it can’t be decoded or is too large', async () => {
    for (const body of ['x'.repeat(LARGE), `{"uid":1}${' '.repeat(LARGE - 9)}`]) {
      const { socket, status } = await beginBody(LARGE, 'cancel_push')
      socket.write(body)
      expect(await status).toBe(400)
    }
    expect(await (await beginBody(2 * BUDGET)).status).toBe(413)
    expect(await statusOf(LARGE)).toBe(200)
  })
})

test('a single body is accepted when the sum is configured below it', async () => {
  expect(await statusOf(BUDGET)).toBe(200)
})
