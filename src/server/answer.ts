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

/** Refuses a request that is too large. The connection is closed: what is still on its way is not read. */
export function answerTooLarge(outgoing: ServerResponse): void {
  outgoing.setHeader('connection', 'close')
  outgoing.once('finish', () => outgoing.socket?.destroySoon())
  answerText(outgoing, 413, 'Request Entity Too Large')
}
