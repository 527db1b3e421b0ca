import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** A connection for a test that writes and reads bytes. */
export interface RawConnection {
  socket: Socket
  /** All bytes that were received, as Latin-1. */
  readonly text: string
  /** Resolves to all bytes that were received, once they contain `part`. @throws Error when the connection ends before */
  until(part: string): Promise<string>
  /** Resolves when more bytes have arrived. @throws Error when the connection has ended */
  next(): Promise<void>
  /** Resolves to all bytes when the connection has closed. */
  closed: Promise<string>
}

/** Connects with the server at `url` (any certificate with https) and sends `bytes`, which are Latin-1. */
export function openRaw(url: string, bytes: string): RawConnection {
  const { protocol, hostname, port } = new URL(url)
  const options = { host: hostname, port: Number(port) }
  const socket = protocol === 'https:' ? connectTls({ ...options, rejectUnauthorized: false }) : connect(options)
  let text = ''
  let wake = () => {}
  socket.on('error', () => {}).once('close', () => wake())
  socket.on('data', (data: Buffer) => {
    text += data.toString('latin1')
    wake()
  })
  socket.write(bytes, 'latin1')
  const next = () => {
    if (socket.destroyed) throw new Error(`connection closed after: ${text}`)
    return new Promise<void>((resolve) => {
      wake = resolve
    })
  }
  return {
    socket,
    get text() {
      return text
    },
    async until(part) {
      while (!text.includes(part)) await next()
      return text
    },
    next,
    closed: once(socket, 'close').then(() => text),
  }
}

/** The lines of a WebSocket handshake after its request line. */
export const HANDSHAKE_LINES = [
  'Host: x',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

/** A WebSocket handshake. */
export const HANDSHAKE = formatRequest('GET /connection/websocket', HANDSHAKE_LINES)

/** Formats a request of a method and a path, with its header lines. */
export function formatRequest(methodAndPath: string, lines: readonly string[], body = ''): string {
  return `${methodAndPath} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`
}
