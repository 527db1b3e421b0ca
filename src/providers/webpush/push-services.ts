import type { LookupFunction } from 'node:net'
import type { IsAddressAllowed } from '../../http2/address-guard.ts'
import type { Http2Client } from '../../http2/http2-client.ts'
import { Http2Pool, type Http2PoolOptions } from '../../http2/http2-pool.ts'
import type { Logger } from '../../observability/log.ts'
import { isWns } from './request-headers.ts'

/**
 * The most connections to a push service. Each has a hundred streams: together more requests in flight than one process
 * can encrypt.
 */
const MAX_CONNECTIONS = 4
/** The most requests that are written to a connection in one go; each takes a quarter of a ms to encrypt. */
const MAX_STREAMS = 100
/**
 * The most push services with an open client. Browsers use a handful, but if any origin may register, clients decide.
 */
const MAX_SERVICES = 200

export interface PushServicesDeps {
  isAddressAllowed: IsAddressAllowed
  /** Resolves host names; the system does it unless given. */
  lookup?: LookupFunction | undefined
  /** A certificate authority (PEM) that is trusted besides the built-in ones. */
  ca?: string | undefined
  requestTimeoutMs: number
  logger: Logger
  /** Opens the HTTP/2 client for the requests to one origin; an `Http2Pool` unless given. */
  openClient?: (options: Http2PoolOptions) => Http2Client
}

/** One HTTP/2 client per push service, so that a slow service does not slow down the others. */
export class PushServices {
  readonly #deps: PushServicesDeps
  /** The clients by origin, in the order of their last use. */
  readonly #clients = new Map<string, Http2Client>()
  readonly #closing = new Set<Promise<void>>()
  #isClosed = false

  constructor(deps: PushServicesDeps) {
    this.#deps = deps
  }

  /** The client for the push service at an origin (`https://host[:port]`). It is opened at the first call. */
  clientFor(origin: string): Http2Client {
    const client = this.#clients.get(origin) ?? this.#open(origin)
    this.#clients.delete(origin)
    this.#clients.set(origin, client)
    const [oldest] = this.#clients
    if (oldest && this.#clients.size > MAX_SERVICES) this.#startClose(...oldest)
    return client
  }

  /** Waits for the requests in flight, then closes the connections to all services. Safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const [origin, client] of this.#clients) this.#startClose(origin, client)
    await Promise.all(this.#closing)
  }

  #open(origin: string): Http2Client {
    const { isAddressAllowed, lookup, ca, requestTimeoutMs, logger } = this.#deps
    const { openClient = (options) => new Http2Pool(options) } = this.#deps
    const isWindows = isWns(origin)
    const client = openClient({
      origin,
      isAddressAllowed,
      lookup,
      ca,
      maxConnections: MAX_CONNECTIONS,
      maxStreamsPerConnection: MAX_STREAMS,
      isBusy: ({ status }) => status === 429 || status === 503 || (status === 406 && isWindows),
      timing: { requestTimeoutMs },
      logger,
    })
    // A client that is opened after `close` is closed at once: its requests fail with the code `closed`.
    if (this.#isClosed) void client.close()
    return client
  }

  #startClose(origin: string, client: Http2Client): void {
    this.#clients.delete(origin)
    const closing = client.close().finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
  }
}
