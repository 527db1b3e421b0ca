// One answer of the node on its way to a client: started in time or not at all, and never faster than the client reads.
import type { ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import { responseHeaders } from './headers.ts'

/** The client sent more than it may; `forward` and `pass` answer 413. */
export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError'

  constructor() {
    super('the request is larger than http_api.max_request_body_size')
  }
}

interface Deps {
  outgoing: ServerResponse
  /** How long the node may take to start answering. */
  timeoutMs: number
  /** Told why the node could not be asked, or did not answer. */
  onFailure(error: Error): void
}

export class Relay implements Dispatcher.DispatchHandler {
  readonly #outgoing: ServerResponse
  readonly #onFailure: (error: Error) => void
  readonly #startTimer: NodeJS.Timeout
  #controller: Dispatcher.DispatchController | undefined
  #abortReason: Error | undefined

  constructor({ outgoing, timeoutMs, onFailure }: Deps) {
    this.#outgoing = outgoing
    this.#onFailure = onFailure
    // Counted from here and not from when the request is on the wire: a request waits for a free connection, too.
    this.#startTimer = setTimeout(() => this.abort(new Error('the node did not answer in time')), timeoutMs)
    outgoing.once('close', () => this.#onClientClose())
  }

  /** The request is still going up: the node has its time from here on. */
  readonly onRequestProgress = (): void => {
    if (!this.#outgoing.headersSent) this.#startTimer.refresh()
  }

  /** Ends the request to the node; the client gets an answer of ours unless the node's has begun. */
  abort(reason: Error): void {
    this.#abortReason ??= reason
    if (this.#controller) this.#controller.abort(reason)
    else this.#fail(reason)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#abortReason) controller.abort(this.#abortReason)
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ) {
    // Informational answers come before the one that counts.
    if (status < 200) return
    clearTimeout(this.#startTimer)
    this.#outgoing.writeHead(status, responseHeaders(headers))
    // A stream may be silent for long; of other answers the body follows, and goes out in one write with the headers.
    if (headers['content-length'] === undefined) this.#outgoing.flushHeaders()
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

  #onClientClose(): void {
    clearTimeout(this.#startTimer)
    if (!this.#outgoing.writableFinished) this.abort(new Error('the client went away'))
  }

  #fail(error: Error): void {
    clearTimeout(this.#startTimer)
    if (this.#outgoing.writableEnded || this.#outgoing.destroyed) return
    // Half an answer must not look like a whole one.
    if (this.#outgoing.headersSent) this.#outgoing.destroy()
    else this.#onFailure(error)
  }
}
