import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Duplex } from 'node:stream'
import type { Logger } from '../observability/log.ts'
import { responseHeaders } from './headers.ts'
import type { NodeAddress } from './node-address.ts'
import { UpstreamError } from './upstream-error.ts'

/** The request of a tunnel to the node. */
interface TunnelRequest {
  address: NodeAddress
  path: string
  headers: Record<string, string | string[]>
  /** Time until the node must answer. */
  timeoutMs: number
  ca: string[] | undefined
}

/**
 * Connects a WebSocket client with the node: both connections then carry the same bytes, and each one closes the other.
 * The client gets the node's answer when it refuses the upgrade, and 502 when there is none.
 */
export function openTunnel(node: TunnelRequest, client: Duplex, head: Buffer, logger: Logger): void {
  const request = requestUpgrade(node)
  client.on('error', () => request.destroy())
  client.once('close', () => request.destroy())
  request.once('timeout', () => request.destroy(new UpstreamError('the node did not answer in time')))
  request.once('upgrade', (answer, socket, nodeHead) => {
    socket.setTimeout(0)
    client.write(`${formatHead(answer)}connection: Upgrade\r\nupgrade: websocket\r\n\r\n`)
    if (nodeHead.length > 0) client.write(nodeHead)
    if (head.length > 0) socket.write(head)
    join(client, socket)
  })
  request.once('response', (answer) => {
    client.write(`${formatHead(answer)}connection: close\r\n\r\n`)
    answer.pipe(client)
  })
  request.once('error', (error) => {
    logger.warn({ err: error }, 'upstream: WebSocket not connected')
    client.end('HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
  })
  request.end()
}

function requestUpgrade({ address, path, headers, timeoutMs, ca }: TunnelRequest) {
  const options: RequestOptions = {
    host: address.host,
    port: address.port,
    path,
    method: 'GET',
    headers: { ...headers, connection: 'Upgrade', upgrade: 'websocket' },
    timeout: timeoutMs,
  }
  return address.isSecure ? requestHttps({ ...options, ca }) : requestHttp(options)
}

function join(client: Duplex, socket: Duplex): void {
  socket.on('error', () => client.destroy())
  socket.pipe(client).pipe(socket)
  client.once('close', () => socket.destroy())
  socket.once('close', () => client.destroy())
}

/** The status line and the headers of an answer, without the empty line that ends them. */
function formatHead(answer: IncomingMessage): string {
  const headers = Object.entries(responseHeaders(answer.headers)).flatMap(([name, value]) =>
    [value].flat().map((one) => `${name}: ${one}\r\n`),
  )
  return `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\n${headers.join('')}`
}
