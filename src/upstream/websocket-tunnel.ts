// A WebSocket between a client and the node, after the handshake. Both connections carry the same bytes.
//
//   open ──disconnect──▶ disconnecting ──end of a frame──▶ closing ──▶ closed
//     └──────────── one side ends, or fails ──────────────────┘
//
// While it is closing, the other side may finish for LINGER_MS. An error closes both sides at once.
import type { Duplex } from 'node:stream'
import { FrameBoundary } from './frame-boundary.ts'

/** Time for a side to receive its last bytes and to close its connection after the other side has ended. */
const LINGER_MS = 5000

/**
 * The close frame of a node that shuts down: code 3001 (DisconnectShutdown in centrifugal/centrifuge, disconnect.go).
 * Clients connect again on it.
 */
const CLOSE_FRAME = makeCloseFrame(3001, 'shutdown')

/** RFC 6455 section 5.5.1: the payload is the code and the reason. A server does not mask. */
function makeCloseFrame(code: number, reason: string): Buffer {
  const payload = Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)])
  return Buffer.concat([Buffer.from([0x88, payload.length]), payload])
}

/** A WebSocket of a client that is connected with the node. Starts at once, and closes when either side does. */
export class WebSocketTunnel {
  readonly #client: Duplex
  readonly #node: Duplex
  /** Of the direction to the client, which is the one that a close frame is inserted into. */
  readonly #boundary = new FrameBoundary()
  #isDisconnecting = false
  #linger: NodeJS.Timeout | undefined

  constructor(client: Duplex, node: Duplex) {
    this.#client = client
    this.#node = node
    client.on('error', () => this.destroy()).once('end', () => this.#startLinger())
    client.on('drain', () => node.resume()).once('close', () => this.#onClientClose())
    node.on('error', () => this.destroy()).on('data', (chunk: Buffer) => this.#passToClient(chunk))
    node.once('end', () => this.#endClient()).once('close', () => this.#endClient())
    client.pipe(node)
    if (client.readableEnded) this.#startLinger()
  }

  /**
   * Sends the client the close frame of a node that shuts down, after the frame that is on its way. The client then
   * connects again.
   */
  disconnect(): void {
    if (this.#isDisconnecting) return
    this.#isDisconnecting = true
    if (this.#boundary.isReached) this.#endClient(CLOSE_FRAME)
  }

  /** Closes both connections at once. */
  destroy(): void {
    this.#client.destroy()
    this.#node.destroy()
  }

  /** Calls `listener` when the connection of the client has closed. */
  onClose(listener: () => void): void {
    this.#client.once('close', listener)
  }

  #passToClient(chunk: Buffer): void {
    if (this.#client.writableEnded) return
    let passed = chunk
    if (this.#isDisconnecting) passed = chunk.subarray(0, this.#boundary.followFrame(chunk, 0))
    else this.#boundary.follow(chunk)
    if (!this.#client.write(passed)) this.#node.pause()
    if (this.#isDisconnecting && this.#boundary.isReached) this.#endClient(CLOSE_FRAME)
  }

  #endClient(lastFrame?: Buffer): void {
    if (this.#client.writableEnded) return
    this.#client.end(lastFrame)
    // Later bytes of the node are discarded.
    this.#node.resume()
    this.#startLinger()
  }

  #startLinger(): void {
    this.#linger ??= setTimeout(() => this.destroy(), LINGER_MS)
  }

  #onClientClose(): void {
    clearTimeout(this.#linger)
    this.#node.destroy()
  }
}
