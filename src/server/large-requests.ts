import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from '../observability/log.ts'
import { NodeAddress } from '../upstream/node-address.ts'
import { NodeApi } from '../upstream/node-api.ts'
import { Relay } from '../upstream/relay.ts'
import { BodyTooLargeError } from '../upstream/request-body.ts'
import type { RouteHeaders } from '../upstream/route-headers.ts'
import { answerBusy, answerText, answerTooLarge } from './answer.ts'

/** The longest wait for an answer: the process decodes one body at a time. */
const TIMEOUT_MS = 120_000
const CONNECT_TIMEOUT_MS = 5000
const MAX_CONNECTIONS = 256

/** A process that serves the API for large requests alone. */
export interface LargeRequestServer {
  /** Its base URL. */
  url: string
  /** Its API key. */
  key: string
}

interface Deps {
  /**
   * Starts the process unless it runs, and keeps it running until `release` is called. Rejects when it does not start.
   */
  acquire(): Promise<LargeRequestServer>
  release(): void
  maxRequestBytes: number
  /** The headers with the way of a request, for the node. */
  route: RouteHeaders
  logger: Logger
}

/** Passes large requests to the process that decodes and answers them, so that they never block this one. */
export class LargeRequests {
  readonly #deps: Deps
  #current: { server: LargeRequestServer; api: NodeApi } | undefined

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /**
   * Passes a request on and relays the answer; resolves when the answer has been sent or the client has gone. Without
   * the process the answer is 503. `body` is the request body if it was read already.
   */
  async pass(incoming: IncomingMessage, outgoing: ServerResponse, path: string, body?: Buffer): Promise<void> {
    const { acquire, release, logger } = this.#deps
    let server: LargeRequestServer
    try {
      server = await acquire()
    } catch (error) {
      logger.error({ err: error }, 'large requests: process not started')
      answerBusy(outgoing)
      return
    }
    try {
      // The client may have gone during the start of the process.
      if (outgoing.closed) return
      const closed = once(outgoing, 'close')
      await this.#apiOf(server).forward(incoming, outgoing, path, body)
      await closed
    } finally {
      release()
    }
  }

  /** Ends all requests. */
  async close(): Promise<void> {
    await this.#current?.api.close()
  }

  #apiOf(server: LargeRequestServer): NodeApi {
    if (this.#current?.server === server) return this.#current.api
    // The connections of an ended process.
    void this.#current?.api.close()
    const api = this.#connect(server)
    this.#current = { server, api }
    return api
  }

  #connect({ url, key }: LargeRequestServer): NodeApi {
    const { maxRequestBytes, route, logger } = this.#deps
    const options = {
      address: url,
      apiKey: key,
      timeoutMs: TIMEOUT_MS,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      maxConnections: MAX_CONNECTIONS,
      ca: undefined,
      transportErrors: false,
      maxRequestBytes,
      paths: { connections: [], sse: [], admin: '' },
      trustedProxies: [],
    }
    const startRelay = (outgoing: ServerResponse) =>
      new Relay({
        outgoing,
        timeoutMs: TIMEOUT_MS,
        onFailure: (error) => {
          if (error instanceof BodyTooLargeError) return answerTooLarge(outgoing)
          logger.error({ err: error }, 'large requests: no answer')
          // The request may have been executed.
          answerText(outgoing, 502, 'Bad Gateway')
        },
      })
    return new NodeApi({ options, address: new NodeAddress(url), startRelay, route })
  }
}
