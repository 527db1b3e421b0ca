// Writes answers in the form of Go's net/http and of a node.
import type { ServerResponse } from 'node:http'

/** Answers with a text and a line feed, as Go's http.Error does. */
export function answerText(
  outgoing: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  const body = `${text}\n`
  outgoing.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'content-length': Buffer.byteLength(body),
    ...headers,
  })
  outgoing.end(body)
}

/** The length of an empty body as a header. Without it Node sends chunks. Go's net/http leaves it out for HEAD. */
export function emptyBody(method: string | undefined): Record<string, string> {
  return method === 'HEAD' ? {} : { 'content-length': '0' }
}

/** Answers with a JSON text. */
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

/** Time for the client to read the answer before its connection is closed, in ms, as in Go's net/http. */
export const LINGER_MS = 500

/** Answers 413 and then closes the connection. */
export function answerTooLarge(outgoing: ServerResponse): void {
  answerLast(outgoing, 413, 'Request Entity Too Large')
}

/** The bodies of other requests are answered within about this time. */
const BUSY_RETRY_SECONDS = 2

/** Answers 503 with `Retry-After` and then closes the connection. */
export function answerBusy(outgoing: ServerResponse): void {
  answerLast(outgoing, 503, 'Service Unavailable', { 'retry-after': String(BUSY_RETRY_SECONDS) })
}

/**
 * Answers with a text and then closes the connection, because the rest of the request is not read. The close is
 * delayed: an immediate one would reset the connection, and the client might lose the answer.
 */
export function answerLast(
  outgoing: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  const body = `${text}\n`
  outgoing.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
    ...headers,
  })
  outgoing.write(body)
  // Node closes the connection at the end of the answer.
  const end = setTimeout(() => outgoing.end(), LINGER_MS)
  outgoing.once('close', () => clearTimeout(end))
}
