// Answers as Go's net/http and a node write them.
import type { ServerResponse } from 'node:http'

/** A text with a line feed behind it, as Go's http.Error has it. */
export function answerText(outgoing: ServerResponse, status: number, text: string): void {
  const body = `${text}\n`
  outgoing.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'content-length': Buffer.byteLength(body),
  })
  outgoing.end(body)
}

export function answerEmpty(outgoing: ServerResponse, status: number): void {
  outgoing.writeHead(status, { 'content-length': 0 })
  outgoing.end()
}

export function answerJson(
  outgoing: ServerResponse,
  body: string | Buffer,
  status = 200,
  headers: Record<string, string> = {},
): void {
  outgoing.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...headers,
  })
  outgoing.end(body)
}

/** How long a refused client has to read its answer before the connection is cut, as Go's net/http gives it. */
const LINGER_MS = 500

/**
 * Refuses a request that is too large. What is still on its way is not read, so the connection can't be used again; cut
 * at once, it would be reset and the client might not see the answer.
 */
export function answerTooLarge(outgoing: ServerResponse): void {
  const body = 'Request Entity Too Large\n'
  outgoing.writeHead(413, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'content-length': body.length,
    connection: 'close',
  })
  outgoing.write(body)
  // Node closes a connection at the end of its last answer, which is why that comes late.
  const end = setTimeout(() => outgoing.end(), LINGER_MS)
  outgoing.once('close', () => clearTimeout(end))
}
