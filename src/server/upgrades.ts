// Requests with an Upgrade header. Node passes them to the 'upgrade' listener instead of the request listener.
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { ClientProxy } from '../upstream/client-proxy.ts'
import { headBytes, MAX_HEAD_BYTES } from './large-heads.ts'
import { cleanPath, splitTarget, unescapePath } from './request-path.ts'

/** Connects WebSocket clients with the node. Other upgrades are ignored, as RFC 9110 section 7.8 allows. */
export function passUpgrades(server: Server, clients: ClientProxy): void {
  server.on('upgrade', (incoming, socket, head) => {
    const { path } = splitTarget(incoming.url)
    const isWebSocket = incoming.headers.upgrade?.toLowerCase() === 'websocket'
    const isConnection = clients.paths.isConnection(unescapePath(path)) && cleanPath(path) === undefined
    const isRefused = headBytes(incoming) > MAX_HEAD_BYTES || clients.via.isLoop(incoming.headers)
    if (isWebSocket && isConnection && !isRefused) clients.tunnel(incoming, socket, head)
    else serveWithoutUpgrade(server, incoming, socket, head)
  })
}

/**
 * Gives the request to the server again, without its Upgrade header. Java's HTTP client offers `h2c` in the first
 * request of a connection, so a refusal would refuse API requests.
 */
function serveWithoutUpgrade(server: Server, incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
  const lines = [`${incoming.method} ${incoming.url} HTTP/${incoming.httpVersion}`]
  const { rawHeaders } = incoming
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2)
    if (!['upgrade', 'connection', 'http2-settings'].includes(name.toLowerCase())) lines.push(`${name}: ${value}`)
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]))
  server.emit(socket instanceof TLSSocket ? 'secureConnection' : 'connection', socket)
}
