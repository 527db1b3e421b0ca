import type { ServerResponse } from 'node:http'
import type { Logger } from '../observability/log.ts'
import { ClientProxy } from './client-proxy.ts'
import { NodeAddress } from './node-address.ts'
import { NodeApi } from './node-api.ts'
import { Relay, type StartRelay } from './relay.ts'
import { BodyTooLargeError } from './request-body.ts'
import { RouteHeaders } from './route-headers.ts'
import type { UpstreamOptions } from './upstream-options.ts'

interface Deps {
  options: UpstreamOptions
  /** Answers a client when the node did not: 413 for a BodyTooLargeError, otherwise 502. */
  onFailure(outgoing: ServerResponse, error: Error): void
  logger: Logger
}

/** The connection to the node. Answers of the node are passed on byte for byte. */
export class Upstream {
  /** The node's server API. */
  readonly api: NodeApi
  /** The node's connection endpoints. */
  readonly clients: ClientProxy

  constructor({ options, onFailure, logger }: Deps) {
    const address = new NodeAddress(options.address)
    const startRelay: StartRelay = (outgoing, onUpgrade) =>
      new Relay({
        outgoing,
        onUpgrade,
        timeoutMs: options.timeoutMs,
        onFailure: (error) => {
          if (!(error instanceof BodyTooLargeError)) logger.warn({ err: error }, 'upstream: no answer')
          onFailure(outgoing, error)
        },
      })
    const route = new RouteHeaders(options.trustedProxies, logger)
    this.api = new NodeApi({ options, address, startRelay, route })
    this.clients = new ClientProxy({ options, address, startRelay, route })
  }

  /** Ends all requests and closes the connections of all clients. Call it after the server has stopped. */
  async close(): Promise<void> {
    await Promise.all([this.clients.close(), this.api.close()])
  }
}
