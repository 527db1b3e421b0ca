import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LargeHeads, MAX_SSE_HEAD_BYTES } from './large-heads.ts'

const MEBIBYTE = 1024 * 1024
const SHARED_BYTES = 4.5 * MEBIBYTE

let server: Server
let heads: LargeHeads
let clients: Socket[]
beforeEach(async () => {
  clients = []
  server = createServer(
    { maxHeaderSize: MAX_SSE_HEAD_BYTES },
    (incoming: IncomingMessage, outgoing: ServerResponse) => {
      incoming.resume().once('end', () => outgoing.end('ok'))
    },
  )
  heads = new LargeHeads(server, 'connection', SHARED_BYTES)
  await once(server.listen(0, '127.0.0.1'), 'listening')
})
afterEach(async () => {
  for (const client of clients) client.destroy()
  server.close()
  await once(server, 'close')
})

/** Opens a connection and sends bytes. */
async function open(bytes: string): Promise<Socket> {
  const address = server.address()
  const socket = connect(typeof address === 'object' && address ? address.port : 0, '127.0.0.1')
  socket.on('error', () => {}).resume()
  clients.push(socket)
  await once(socket, 'connect')
  socket.write(bytes)
  return socket
}

const INCOMPLETE = `GET /connection/sse?cf_connect=${'x'.repeat(MEBIBYTE)}`
const CHUNKED = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'
const WITH_LENGTH = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok'

describe('incomplete heads beyond the shared bytes', () => {
  test.each([
    ['of new connections', ''],
    ['after a request', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['after a body with a length', WITH_LENGTH],
    ['after a body in chunks', CHUNKED],
  ])('%s are closed, and no others', async (_, before) => {
    const sockets = await Promise.all(Array.from({ length: 8 }, () => open(before + INCOMPLETE)))
    // There is room for four of these heads.
    await untilClosed(4, sockets)
    expect(sockets.filter((socket) => !socket.closed)).toHaveLength(4)
  })
})

/** Resolves when `count` of the connections are closed. */
function untilClosed(count: number, sockets: readonly Socket[]): Promise<void> {
  return new Promise((resolve) => {
    let left = count
    const onClose = () => --left === 0 && resolve()
    for (const socket of sockets) {
      if (socket.closed) onClose()
      else socket.once('close', onClose)
    }
  })
}

test('a long body is not a head', async () => {
  const bytes = 2 * SHARED_BYTES
  const sockets = await Promise.all(
    [`Content-Length: ${bytes}\r\n\r\n`, `Transfer-Encoding: chunked\r\n\r\n${bytes.toString(16)}\r\n`].map((end) =>
      open(`POST / HTTP/1.1\r\nHost: x\r\n${end}${'x'.repeat(bytes - 1)}`),
    ),
  )
  const incomplete = await Promise.all(Array.from({ length: 8 }, () => open(INCOMPLETE)))
  await untilClosed(4, incomplete)
  expect(sockets.map((socket) => socket.closed)).toEqual([false, false])
})

test('complete heads share the bytes until their answers are over', async () => {
  const answers: ServerResponse[] = []
  server.on('request', (_, outgoing) => answers.push(outgoing))
  const socket = await open('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n')
  await once(server, 'request')
  const [answer] = answers
  if (!answer) throw new Error('no request')
  expect(heads.admit(3 * MEBIBYTE, answer)).toBe(true)
  expect(heads.admit(2 * MEBIBYTE, answer)).toBe(false)
  const closed = once(answer, 'close')
  socket.write('ok')
  await closed
  expect(heads.admit(2 * MEBIBYTE, answer)).toBe(true)
})
