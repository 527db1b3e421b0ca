// A head is the request line and the headers. Node's parser keeps one in memory until it is complete, and the path of a
// stream is kept as long as the stream. A node allows 1 MiB for each, however many there are. Here only SSE may have
// such heads, because its clients send a command in the URL, and all of them share an amount of memory.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { HandshakeResponse } from '../upstream/handshake-response.ts'

/** The limit of a head in bytes. */
export const MAX_HEAD_BYTES = 64 * 1024
/** The limit of a head of SSE in bytes: 1 MiB for its path, as with a node, and the other limit for its headers. */
export const MAX_SSE_HEAD_BYTES = 1024 * 1024 + MAX_HEAD_BYTES
/** Heads beyond MAX_HEAD_BYTES share these bytes: incomplete ones, and those of streams. Node keeps each twice. */
const SHARED_BYTES = 64 * 1024 * 1024
/** Interval of the search for connections that exceed the shared bytes, in ms. */
const SWEEP_MS = 250

/** The bytes of a head. */
export function headBytes({ method = '', url = '', rawHeaders }: IncomingMessage): number {
  let bytes = method.length + url.length
  for (const part of rawHeaders) bytes += part.length
  return bytes
}

/** The large heads of a server. */
export class LargeHeads {
  /** The position in the bytes of a connection at which its last request ends. Infinity: no head is being received. */
  readonly #ends = new Map<Socket, number>()
  readonly #sharedBytes: number
  #admittedBytes = 0

  /** @param connects the event with which `server` gives new connections to its parser */
  constructor(server: Server, connects: 'connection' | 'secureConnection', sharedBytes = SHARED_BYTES) {
    this.#sharedBytes = sharedBytes
    server.on(connects, (socket: Socket) => this.#onConnection(socket))
    server.on('request', (incoming, outgoing) => {
      // The connection of a handshake is not read here any more.
      if (!(outgoing instanceof HandshakeResponse)) this.#onRequest(incoming)
    })
    server.on('upgrade', ({ socket }) => this.#ends.set(socket, Number.POSITIVE_INFINITY))
    const sweep = setInterval(() => this.#sweep(), SWEEP_MS).unref()
    server.once('close', () => clearInterval(sweep))
  }

  /** Counts a head until its answer is over. False when the shared bytes are exhausted. */
  admit(bytes: number, outgoing: ServerResponse): boolean {
    if (this.#admittedBytes + bytes > this.#sharedBytes) return false
    this.#admittedBytes += bytes
    outgoing.once('close', () => {
      this.#admittedBytes -= bytes
    })
    return true
  }

  #onConnection(socket: Socket): void {
    // A connection comes again after an upgrade that was not granted.
    if (!this.#ends.has(socket)) socket.once('close', () => this.#ends.delete(socket))
    this.#ends.set(socket, socket.bytesRead)
  }

  /** Up to 64 KiB of the next head may have been read together with the end of this one. They are not counted. */
  #onRequest(incoming: IncomingMessage): void {
    const { socket, headers } = incoming
    if (headers['transfer-encoding'] === undefined) {
      this.#ends.set(socket, socket.bytesRead + Number(headers['content-length'] ?? 0))
      return
    }
    this.#ends.set(socket, Number.POSITIVE_INFINITY)
    incoming.once('end', () => this.#ends.set(socket, socket.bytesRead))
  }

  /** Closes the connections with the largest incomplete heads until the others have room. */
  #sweep(): void {
    if (this.#ends.size * MAX_SSE_HEAD_BYTES + this.#admittedBytes <= this.#sharedBytes) return
    let sum = this.#admittedBytes
    const large: { socket: Socket; bytes: number }[] = []
    for (const [socket, end] of this.#ends) {
      if (end === Number.POSITIVE_INFINITY) continue
      const bytes = socket.bytesRead - end
      if (bytes <= MAX_HEAD_BYTES) continue
      large.push({ socket, bytes })
      sum += bytes
    }
    large.sort((one, other) => other.bytes - one.bytes)
    for (const { socket, bytes } of large) {
      if (sum <= this.#sharedBytes) return
      sum -= bytes
      socket.destroy()
    }
  }
}
