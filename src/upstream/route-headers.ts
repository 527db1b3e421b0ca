import type { IncomingMessage } from 'node:http'
import type { Logger } from '../observability/log.ts'
import { makeAddressReader } from './client-address.ts'
import { Via } from './via.ts'

/** The headers of a request to the node that tell its way: the client's address, and the proxies. */
export class RouteHeaders {
  /** The entry of this process. */
  readonly via: Via
  readonly #readAddress: ReturnType<typeof makeAddressReader>

  /** @param trustedProxies CIDR blocks */
  constructor(trustedProxies: readonly string[], logger: Logger) {
    this.via = new Via(logger)
    this.#readAddress = makeAddressReader(trustedProxies)
  }

  /** The headers for a request of a client. */
  of(incoming: IncomingMessage): Record<string, string> {
    return { ...this.#readAddress(incoming), via: this.via.extend(incoming.headers.via) }
  }
}
