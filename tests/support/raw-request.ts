import { once } from 'node:events'
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { buffer } from 'node:stream/consumers'

export interface RawRequest {
  /** Base URL of the server; its path is ignored. */
  url: string
  method?: string
  /** The path as it is sent; `fetch` would normalise it. */
  path: string
  headers?: Record<string, string | string[]>
  body?: Buffer | string
}

export interface RawAnswer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

/** Sends a request on its own connection, with no headers except the given ones, Host and Content-Length. */
export async function sendRaw({ url, method = 'POST', path, headers = {}, body = '' }: RawRequest): Promise<RawAnswer> {
  const { hostname, port } = new URL(url)
  const outgoing = request({ host: hostname, port, method, path, headers, agent: false })
  const bytes = Buffer.from(body)
  if (bytes.length > 0 || method === 'POST') outgoing.setHeader('content-length', bytes.length)
  outgoing.end(bytes)
  const [incoming]: IncomingMessage[] = await once(outgoing, 'response')
  if (!incoming) throw new Error('the connection was closed without a response')
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: await buffer(incoming) }
}
