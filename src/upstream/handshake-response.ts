import { type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Whether a request asks for a WebSocket, as a node reads it: both headers may list other names too. */
export function asksForWebSocket({ connection, upgrade }: IncomingHttpHeaders): boolean {
  return lists(connection, 'upgrade') && lists(upgrade, 'websocket')
}

/** Whether a header that is a list of names has `name`, in any case. */
function lists(header: string | undefined, name: string): boolean {
  return header?.split(',').some((one) => one.trim().toLowerCase() === name) ?? false
}

/**
 * The answer to a WebSocket handshake: an ordinary answer, or the switch to the WebSocket protocol. Node's server has
 * given its connection up, so this class has the server's part of an answer too: 'drain', errors, keep-alive.
 */
export class HandshakeResponse extends ServerResponse {
  readonly #connection: Socket

  /** @param onComplete called after an ordinary answer if the connection can take another request */
  constructor(incoming: IncomingMessage, onComplete: (connection: Socket) => void) {
    super(incoming)
    this.#connection = incoming.socket
    const isLast = incoming.httpVersion === '1.0' || lists(incoming.headers.connection, 'close')
    // Set here, so that a later value for this header can be read at the end.
    this.setHeader('connection', isLast ? 'close' : 'keep-alive')
    this.assignSocket(this.#connection)
    this.#connection.on('drain', this.#onDrain).on('error', this.#onError)
    this.once('finish', () => {
      this.#release()
      this.emit('close')
      const { destroyed, readableEnded } = this.#connection
      if (this.getHeader('connection') === 'close' || readableEnded) this.#connection.destroySoon()
      else if (!destroyed) onComplete(this.#connection)
    })
  }

  /**
   * Answers with 101 and these headers, and closes the response. Returns the connection, which belongs to the caller.
   */
  switchProtocols(headers: OutgoingHttpHeaders): Socket {
    this.sendDate = false
    this.writeHead(101, { ...headers, connection: 'Upgrade', upgrade: 'websocket' })
    this.flushHeaders()
    this.#release()
    this.emit('close')
    return this.#connection
  }

  #release(): void {
    this.#connection.off('drain', this.#onDrain).off('error', this.#onError)
    this.detachSocket(this.#connection)
  }

  readonly #onDrain = (): void => {
    this.emit('drain')
  }

  /** The connection closes after an error, and with it this answer. */
  readonly #onError = (): void => {}
}
