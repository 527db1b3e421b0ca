import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import { responseHeaders } from './headers.ts'
import { UpstreamError } from './upstream-error.ts'

interface Deps {
  outgoing: ServerResponse
  /** Time until the node must start to answer. */
  timeoutMs: number
  /** Called once when the request failed before the client got a part of an answer. */
  onFailure(error: Error): void
  /** Called instead of an answer when the node switches protocols, with its connection. Not expected by default. */
  onUpgrade?: OnUpgrade | undefined
}

/** Takes the headers of the node's 101 and its connection. */
export type OnUpgrade = (headers: Headers, connection: Duplex) => void

type Headers = Record<string, string | string[] | undefined>

/** Time in ms in which a half-closed client still gets data of a stream: a node sends the data that it has. */
const HALF_CLOSED_MS = 100

/** Makes the relay of an answer of the node to a client. */
export type StartRelay = (outgoing: ServerResponse, onUpgrade?: OnUpgrade) => Relay

/**
 * Copies one answer of the node to a client, no faster than the client reads. Fails when the answer starts too late.
 */
export class Relay implements Dispatcher.DispatchHandler {
  readonly #outgoing: ServerResponse
  readonly #onFailure: (error: Error) => void
  readonly #onUpgrade: OnUpgrade | undefined
  readonly #startTimer: NodeJS.Timeout
  #controller: Dispatcher.DispatchController | undefined
  #abortReason: Error | undefined
  #isStream = false
  #hasClientEnded = false

  constructor({ outgoing, timeoutMs, onFailure, onUpgrade }: Deps) {
    this.#outgoing = outgoing
    this.#onFailure = onFailure
    this.#onUpgrade = onUpgrade
    // Starts here and not when the request is written, so that it includes the wait for a free connection.
    this.#startTimer = setTimeout(() => this.abort(new Error('the node did not answer in time')), timeoutMs)
    outgoing.once('close', this.#onClientClose)
  }

  /** Restarts the time limit: the client is still sending its request body. */
  readonly onRequestProgress = (): void => {
    if (!this.#outgoing.headersSent) this.#startTimer.refresh()
  }

  /**
   * Ends a stream: the client has closed its side. It may have closed its whole connection, and the stream would go on.
   * Other answers are relayed, because the client may be waiting for them.
   */
  onClientEnd(): void {
    this.#hasClientEnded = true
    if (this.#isStream) this.#endSoon()
  }

  /** Ends the request to the node. Calls `onFailure` unless the answer has begun. */
  abort(reason: Error): void {
    this.#abortReason ??= reason
    if (this.#controller) this.#controller.abort(reason)
    else this.#fail(reason)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#abortReason) controller.abort(this.#abortReason)
  }

  onRequestUpgrade(_: Dispatcher.DispatchController, _status: number, headers: Headers, connection: Duplex): void {
    clearTimeout(this.#startTimer)
    if (this.#onUpgrade) {
      this.#outgoing.off('close', this.#onClientClose)
      this.#onUpgrade(headers, connection)
      return
    }
    connection.destroy()
    this.#fail(new UpstreamError('the node switched protocols without being asked'))
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Headers) {
    // Informational answers precede the final one and are not relayed.
    if (status < 200) return
    clearTimeout(this.#startTimer)
    this.#outgoing.writeHead(status, responseHeaders(headers))
    if (headers['content-length'] !== undefined) return
    // A stream may be silent for long, so its headers are sent now. Otherwise headers and body share one write.
    this.#outgoing.flushHeaders()
    this.#isStream = true
    if (this.#hasClientEnded) this.#endSoon()
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#outgoing.write(chunk)) return
    controller.pause()
    this.#outgoing.once('drain', () => controller.resume())
  }

  onResponseEnd(): void {
    this.#outgoing.end()
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#fail(this.#abortReason ?? error)
  }

  #endSoon(): void {
    setTimeout(() => {
      this.#outgoing.end()
      this.abort(new Error('the client closed its side of the connection'))
    }, HALF_CLOSED_MS)
  }

  readonly #onClientClose = (): void => {
    clearTimeout(this.#startTimer)
    if (!this.#outgoing.writableFinished) this.abort(new Error('the client closed its connection'))
  }

  #fail(error: Error): void {
    clearTimeout(this.#startTimer)
    if (this.#outgoing.writableEnded || this.#outgoing.destroyed) return
    // The client must be able to detect a truncated answer.
    if (this.#outgoing.headersSent) this.#outgoing.destroy()
    else this.#onFailure(error)
  }
}
