// Requests with an Upgrade header. Node's server gives their connections up and passes them to the 'upgrade' listener
// instead of the request listener.
import type { IncomingHttpHeaders, IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { asksForWebSocket, HandshakeResponse } from '../upstream/handshake-response.ts'
import { OpenAnswers } from './open-answers.ts'

/** The headers of an upgrade, apart from Connection, which names them. */
const UPGRADE_HEADERS = new Set(['upgrade', 'http2-settings'])

const ignore = () => {}

/**
 * Serves requests with an Upgrade header like all others, each after the earlier ones of its connection. The response
 * to a WebSocket handshake is a HandshakeResponse. Other upgrades are ignored, as RFC 9110 section 7.8 allows.
 * @returns closes the connections of requests that still wait for an earlier answer
 */
export function serveUpgrades(server: Server): () => void {
  const answers = new OpenAnswers()
  /** Headers of requests that are parsed again, by their connection. */
  const hidden = new WeakMap<Socket, IncomingHttpHeaders>()
  server.prependListener('request', (incoming, outgoing) => {
    if (outgoing instanceof HandshakeResponse) return
    answers.add(incoming.socket, outgoing)
    Object.assign(incoming.headers, hidden.get(incoming.socket))
    hidden.delete(incoming.socket)
  })
  server.on('upgrade', (incoming, _, head) => {
    const { headers, socket } = incoming
    const isHandshake = asksForWebSocket(headers) && incoming.method === 'GET'
    if (!isHandshake && asksForWebSocket(headers)) {
      hidden.set(socket, { connection: headers.connection, upgrade: headers.upgrade })
    }
    // At once, because the end of the connection must not be read before.
    const unread = isHandshake ? head : Buffer.concat([formatWithoutUpgrade(incoming), head])
    if (unread.length > 0) socket.unshift(unread)
    answers.afterAll(socket, () => (isHandshake ? shakeHands(server, incoming) : serve(server, socket)))
  })
  return () => answers.closeWaiting()
}

function shakeHands(server: Server, incoming: IncomingMessage): void {
  // As a node does with a client that sends more than the handshake.
  if (hasBody(incoming.headers)) incoming.socket.on('error', ignore).destroySoon()
  else server.emit('request', incoming, new HandshakeResponse(incoming, (socket) => serve(server, socket)))
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** Gives the connection back to the server. */
function serve(server: Server, socket: Socket): void {
  server.emit(socket instanceof TLSSocket ? 'secureConnection' : 'connection', socket)
}

/**
 * The head of the request without its Upgrade header, so that the server serves it. Java's HTTP client offers `h2c` in
 * the first request of a connection, so a refusal would refuse API requests.
 */
function formatWithoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2)
    if (name.toLowerCase() === 'connection') lines.push(`${name}: ${withoutUpgrade(value)}`)
    else if (!UPGRADE_HEADERS.has(name.toLowerCase())) lines.push(`${name}: ${value}`)
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

/** A Connection header that names no header of an upgrade. Keeps `close`. */
function withoutUpgrade(connection: string): string {
  return connection
    .split(',')
    .filter((name) => !UPGRADE_HEADERS.has(name.trim().toLowerCase()))
    .join(',')
}
