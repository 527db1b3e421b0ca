import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

const ignore = () => {}

/** The answers of each connection that are not complete. HTTP/1.1 allows more than one: pipelining. */
export class OpenAnswers {
  /** In the order of the requests, in which they are also sent. */
  readonly #byConnection = new WeakMap<Duplex, Set<ServerResponse>>()
  readonly #waiting = new Set<Duplex>()

  /** Adds an answer until it is closed. */
  add(connection: Duplex, answer: ServerResponse): void {
    const open = this.#of(connection)
    open.add(answer)
    answer.once('close', () => open.delete(answer))
  }

  /**
   * Calls `next` once all answers are complete, at once when there are none; never when the connection closes before.
   * Node's server must have given the connection up, and with it the listeners that an answer needs.
   */
  afterAll(connection: Duplex, next: () => void): void {
    const open = this.#of(connection)
    const last = [...open].at(-1)
    if (!last) {
      next()
      return
    }
    const onDrain = () => void [...open][0]?.emit('drain')
    const onClose = () => void this.#waiting.delete(connection)
    connection.on('drain', onDrain).on('error', ignore).once('close', onClose)
    this.#waiting.add(connection)
    last.once('close', () => {
      if (!connection.writable) return
      connection.off('drain', onDrain).off('error', ignore).off('close', onClose)
      this.#waiting.delete(connection)
      next()
    })
  }

  /** Closes the connections for which `afterAll` waits. Node's server does not know them. */
  closeWaiting(): void {
    for (const connection of this.#waiting) connection.destroy()
  }

  #of(connection: Duplex): Set<ServerResponse> {
    const known = this.#byConnection.get(connection)
    if (known) return known
    const open = new Set<ServerResponse>()
    this.#byConnection.set(connection, open)
    return open
  }
}
