import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { EDGE_KEY, type Edge, startEdge, startRawNode } from '../support/edge.ts'

const LIMIT_BYTES = 256 * 1024
const CHUNK = Buffer.alloc(64 * 1024, ' ')
/** What the kernel and the streams hold on the way, at most; the test sends until nothing more is taken. */
const BUFFERS_BYTES = 32 * 1024 * 1024

let edge: Edge
let node: Awaited<ReturnType<typeof startRawNode>>
let socket: Socket
beforeAll(async () => {
  // Reads, and answers only at the end of a body.
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
  // A write to a connection that is cut is not what is tested.
  socket.on('error', () => {})
  await once(socket, 'connect')
  const firstLine = once(socket, 'data').then(([data]) => String(data).split('\r\n')[0] ?? '')
  socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\nx-api-key: ${EDGE_KEY}\r\n${header}\r\n\r\n`)
  return { firstLine }
}

describe.each([
  ['a method of ours', '/api/device_register'],
  ['a method of the node', '/api/publish'],
  ['a batch', '/api/batch'],
  ['the legacy API', '/api'],
])('%s', (_, path) => {
  test('answers 413 to 100 MB that are announced, without waiting for them', async () => {
    const { firstLine } = await startRequest(path, 'content-length: 104857600')
    expect(await firstLine).toBe('HTTP/1.1 413 Payload Too Large')
  })

  test('answers 413 to a body without a length once it is too large, and reads no further', async () => {
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

test('a body of just the limit is taken', async () => {
  const { firstLine } = await startRequest('/api/device_register', `content-length: ${LIMIT_BYTES}`)
  socket.write(`{}${' '.repeat(LIMIT_BYTES - 2)}`)
  expect(await firstLine).toBe('HTTP/1.1 200 OK')
})
