import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { EDGE_KEY, type Edge, startEdge, startRawNode } from '../support/edge.ts'

const LIMIT_BYTES = 256 * 1024
const CHUNK = Buffer.alloc(64 * 1024, ' ')
/** Most bytes that the kernel and the streams buffer. The test sends until no more bytes are accepted. */
const BUFFERS_BYTES = 32 * 1024 * 1024

let edge: Edge
let node: Awaited<ReturnType<typeof startRawNode>>
let socket: Socket
beforeAll(async () => {
  // Answers after it has read the whole body.
  node = await startRawNode((incoming, outgoing) => incoming.resume().once('end', () => outgoing.end('{}')))
  edge = await startEdge({ node: node.address, maxRequestBytes: LIMIT_BYTES })
})
afterEach(() => socket.destroy())
afterAll(async () => {
  await edge.stop()
  await node.stop()
})

async function startRequest(path: string, header: string): Promise<{ firstLine: Promise<string> }> {
  const { hostname, port } = new URL(edge.url)
  socket = connect(Number(port), hostname)
  // Writes to a closed connection may fail. The test does not check that.
  socket.on('error', () => {})
  await once(socket, 'connect')
  const firstLine = once(socket, 'data').then(([data]) => String(data).split('\r\n')[0] ?? '')
  socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\nx-api-key: ${EDGE_KEY}\r\n${header}\r\n\r\n`)
  return { firstLine }
}

describe.each([
  ['a push method', '/api/device_register'],
  ['an upstream method', '/api/publish'],
  ['a batch', '/api/batch'],
  ['the legacy API', '/api'],
])('%s', (_, path) => {
  test('answers 413 to a Content-Length of 100 MB without reading the body', async () => {
    const { firstLine } = await startRequest(path, 'content-length: 104857600')
    expect(await firstLine).toBe('HTTP/1.1 413 Payload Too Large')
  })

  test('answers 413 to a body without a length when it exceeds the limit, and reads no further', async () => {
    const { firstLine } = await startRequest(path, 'transfer-encoding: chunked')
    let answer: string | undefined
    void firstLine.then((line) => {
      answer = line
    })
    let sent = 0
    while (answer === undefined) {
      const isTaken = socket.write(`${CHUNK.length.toString(16)}\r\n`) && socket.write(CHUNK) && socket.write('\r\n')
      sent += CHUNK.length
      if (isTaken) await nextTurn()
      else await Promise.race([once(socket, 'drain'), firstLine, once(socket, 'close')])
    }
    expect(answer).toBe('HTTP/1.1 413 Payload Too Large')
    expect(sent).toBeLessThan(BUFFERS_BYTES)
    await once(socket, 'close')
  })
})

test('a body of exactly the limit is accepted', async () => {
  const { firstLine } = await startRequest('/api/device_register', `content-length: ${LIMIT_BYTES}`)
  socket.write(`{}${' '.repeat(LIMIT_BYTES - 2)}`)
  expect(await firstLine).toBe('HTTP/1.1 200 OK')
})
