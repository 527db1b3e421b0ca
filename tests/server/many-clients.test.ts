// Many WebSocket clients of one server process: its memory, its descriptors, and how it stops.
import { readdir, readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { type CentripushProcess, startCentripush } from '../support/centripush-process.ts'
import { HANDSHAKE, openRaw, type RawConnection } from '../support/raw-connection.ts'
import { startTcpNode, type TcpNode } from '../support/tcp-node.ts'

const CLIENTS = 2000
/** Handshakes at a time. */
const PARALLEL = 100
const CUT_HANDSHAKES = 100
const MOST_BYTES_PER_CLIENT = 50_000
const DRAIN_SECONDS = 2
/** Code 3001, reason "shutdown". */
const CLOSE_FRAME = '\x88\x0a\x0b\xb9shutdown'
const POLL_MS = 50

let server: CentripushProcess
let node: TcpNode
afterEach(async () => {
  await server.stop()
  await node.stop()
})

async function start(onHead: (socket: Socket, head: string) => void, timeout = '20s'): Promise<void> {
  node = await startTcpNode(onHead)
  server = await startCentripush({
    push_notifications: { enabled: false },
    database: { enabled: false },
    http_api: { insecure: true },
    upstream: { address: node.address, timeout },
    shutdown: { drain: `${DRAIN_SECONDS}s` },
    log: { level: 'error' },
  })
}

/** Does `work` `count` times, PARALLEL at a time. */
async function repeat<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  while (results.length < count) {
    const indexes = Array.from({ length: Math.min(PARALLEL, count - results.length) }, (_, at) => results.length + at)
    results.push(...(await Promise.all(indexes.map(work))))
  }
  return results
}

async function openWebSocket(): Promise<RawConnection> {
  const client = openRaw(server.url, HANDSHAKE)
  await client.until('\r\n\r\n')
  return client
}

async function countDescriptors(): Promise<number> {
  return (await readdir(`/proc/${server.pid}/fd`)).length
}

async function readResidentBytes(): Promise<number> {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${server.pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024
}

const REFUSAL = 'HTTP/1.1 403 Forbidden\r\n'
const WITH_LENGTH = `${REFUSAL}Content-Length: 10\r\n\r\nForb`
const IN_CHUNKS = `${REFUSAL}Transfer-Encoding: chunked\r\n\r\na\r\nForb`
const CUTS: Record<string, (socket: Socket) => void> = {
  'FIN in a body with a length': (socket) => void socket.end(WITH_LENGTH),
  'FIN in a chunked body': (socket) => void socket.end(IN_CHUNKS),
  'RST in a body': (socket) => void socket.write(WITH_LENGTH, () => socket.resetAndDestroy()),
  'RST before an answer': (socket) => void socket.resetAndDestroy(),
  'silence in a body': (socket) => void socket.write(IN_CHUNKS),
  'silence before an answer': () => {},
}

test.skipIf(process.platform !== 'linux')('cut handshakes leave no descriptor', async () => {
  let cut = (_: Socket): void => {}
  await start((socket) => cut(socket), '300ms')
  const before = await countDescriptors()
  for (const one of Object.values(CUTS)) {
    cut = one
    await repeat(CUT_HANDSHAKES, async (index) => {
      const client = openRaw(server.url, HANDSHAKE)
      // Every third client leaves before the end, every second of these before the answer.
      if (index % 6 === 0) client.socket.end()
      else if (index % 3 === 0) client.socket.once('data', () => client.socket.resetAndDestroy())
      else
        client.until('Bad Gateway').then(
          () => client.socket.destroy(),
          () => {},
        )
      await client.closed
    })
  }
  // Connections that the server keeps for the next request are closed after some seconds.
  while ((await countDescriptors()) > before) await delay(POLL_MS)
})

test.skipIf(process.platform !== 'linux')(
  'idle WebSockets need little memory, and a SIGTERM spreads their closings',
  async () => {
    await start((socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
    )
    const before = await readResidentBytes()
    const clients = await repeat(CLIENTS, openWebSocket)
    expect(((await readResidentBytes()) - before) / CLIENTS).toBeLessThan(MOST_BYTES_PER_CLIENT)
    const startedAtMs = performance.now()
    const stopped = server.stop()
    const seconds = await Promise.all(
      clients.map(async ({ closed }) => {
        expect((await closed).endsWith(CLOSE_FRAME)).toBe(true)
        return (performance.now() - startedAtMs) / 1000
      }),
    )
    expect(await stopped).toBe(0)
    // No second has much more than its share.
    for (let second = 0; second < DRAIN_SECONDS; second++) {
      const closed = seconds.filter((at) => Math.floor(at) === second)
      expect(closed.length).toBeLessThan((1.5 * CLIENTS) / DRAIN_SECONDS)
    }
  },
)
