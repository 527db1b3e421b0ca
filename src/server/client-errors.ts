// Bytes that are not a request. They are answered as by a node: after the answers to the requests before them.
import { type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { HandshakeResponse } from '../upstream/handshake-response.ts'
import { LINGER_MS } from './answer.ts'

/** Statuses for codes of Node's parser; all others are 400. https://nodejs.org/api/http.html#event-clienterror */
const STATUSES: Record<string, number> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

/** Bytes after a request with `Connection: close`, which a node does not read. */
const AFTER_LAST_REQUEST = 'HPE_CLOSED_CONNECTION'

/** Answers the errors of the parser of `server`. Node's own answer would take the place of earlier ones. */
export function answerClientErrors(server: Server): void {
  /** The newest answer of each connection. In a pipeline it is the last one. */
  const newest = new WeakMap<Duplex, ServerResponse>()
  /** Connections with an error. Each further byte is another error. */
  const failed = new WeakSet<Duplex>()
  server.on('request', (incoming, outgoing) => {
    // The parser does not read the connection of a handshake, which may last for hours.
    if (!(outgoing instanceof HandshakeResponse)) newest.set(incoming.socket, outgoing)
  })
  server.on('upgrade', ({ socket }) => newest.delete(socket))
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (failed.has(socket)) return
    failed.add(socket)
    const answer = newest.get(socket)
    if (!answer || answer.writableFinished) reject(socket, error.code)
    else if (answer.req.complete) answer.once('finish', () => reject(socket, error.code))
    // The error is in the body of that request.
    else if (answer.headersSent) socket.destroy()
    else reject(socket, error.code)
  })
}

function reject(socket: Duplex, code = ''): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  if (code === AFTER_LAST_REQUEST) socket.end()
  else socket.end(formatRejection(STATUSES[code] ?? 400))
  // An immediate close would reset the connection while the client is sending, and it might lose the answer.
  const close = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('close', () => clearTimeout(close))
}

function formatRejection(status: number): string {
  const text = `${status} ${STATUS_CODES[status]}`
  return `HTTP/1.1 ${text}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${text}`
}
