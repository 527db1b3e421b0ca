import { once } from 'node:events'
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { buffer } from 'node:stream/consumers'

/** A request. */
export interface RawRequest {
  /** Base URL of the server; its path is ignored. */
  url: string
  method?: string
  /** Sent unchanged. `fetch` would normalise it. */
  path: string
  headers?: Record<string, string | string[]>
  body?: Buffer | string
}

/** The whole answer. */
export interface RawAnswer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

/** Sends a request on a new connection, with the given headers, Host and Content-Length only. */
export async function sendRaw({ url, method = 'POST', path, headers = {}, body = '' }: RawRequest): Promise<RawAnswer> {
  const { hostname, port } = new URL(url)
  const outgoing = request({ host: hostname, port, method, path, headers, agent: false })
  const bytes = Buffer.from(body)
  if (bytes.length > 0 || method === 'POST') outgoing.setHeader('content-length', bytes.length)
  outgoing.end(bytes)
  const [incoming]: IncomingMessage[] = await once(outgoing, 'response')
  if (!incoming) throw new Error('no response')
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: await buffer(incoming) }
}
