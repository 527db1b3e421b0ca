// Requests and answers as bytes on a connection, where an HTTP client would hide the differences.
import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** An answer as it was sent. */
export interface RawResponse {
  status: number
  /** By lower-case name, in the order in which they were sent; repeated ones are joined with a comma. */
  headers: Record<string, string>
  /** Without its framing, in Latin-1. */
  body: string
}

/**
 * Sends bytes on a new connection and returns all bytes of the server, when it has closed the connection.
 * @param isHalfClosed closes the client's side after the last byte
 */
export async function exchange(url: string, bytes: string, isHalfClosed = false): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
  // The server may close the connection before it has read all bytes.
  socket.on('error', () => {})
  if (isHalfClosed) socket.end(bytes, 'latin1')
  else socket.write(bytes, 'latin1')
  const answer = await buffer(socket)
  socket.destroy()
  return answer.toString('latin1')
}

/** Splits the bytes of a connection into answers. @param methods of the requests: an answer to HEAD has no body */
export function parseResponses(bytes: string, methods: readonly string[] = []): RawResponse[] {
  const responses: RawResponse[] = []
  let rest = bytes
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n')
    if (end === -1) throw new Error(`not an answer: ${rest}`)
    const { status, headers } = parseHead(rest.slice(0, end))
    const isEmpty = methods[responses.length] === 'HEAD' || status === 204 || status === 304
    const { body, size } = isEmpty ? { body: '', size: 0 } : parseBody(headers, rest.slice(end + 4))
    responses.push({ status, headers, body })
    rest = rest.slice(end + 4 + size)
  }
  return responses
}

function parseHead(head: string): Pick<RawResponse, 'status' | 'headers'> {
  const [first = '', ...lines] = head.split('\r\n')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:]+): ?(.*)$/.exec(line) ?? []
    const key = name.toLowerCase()
    headers[key] = key in headers ? `${headers[key]}, ${value}` : value
  }
  return { status: Number(first.split(' ')[1]), headers }
}

/** The body at the begin of `rest`, and its size with its framing. */
function parseBody(headers: Record<string, string>, rest: string): { body: string; size: number } {
  if (headers['content-length'] !== undefined) {
    const size = Number(headers['content-length'])
    return { body: rest.slice(0, size), size }
  }
  if (headers['transfer-encoding'] !== 'chunked') return { body: rest, size: rest.length }
  let body = ''
  let at = 0
  for (;;) {
    const line = rest.indexOf('\r\n', at)
    const size = Number.parseInt(rest.slice(at, line), 16)
    if (line === -1 || Number.isNaN(size)) throw new Error(`not a chunk: ${rest.slice(at)}`)
    body += rest.slice(line + 2, line + 2 + size)
    at = line + 2 + size + 2
    if (size === 0) return { body, size: at }
  }
}
