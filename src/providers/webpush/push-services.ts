import type { LookupFunction } from 'node:net'
import type { IsAddressAllowed } from '../../http2/address-guard.ts'
import type { Http2Client } from '../../http2/http2-client.ts'
import { Http2Pool, type Http2PoolOptions } from '../../http2/http2-pool.ts'
import type { Logger } from '../../observability/log.ts'
import { isWns } from './request-headers.ts'

/** With a hundred streams each, more than one process can encrypt for. */
const MAX_CONNECTIONS = 4
/** A round writes that many requests to a connection at most, and each takes a quarter of a ms to encrypt. */
const MAX_STREAMS = 100
/** The browsers' services are a handful. Where any origin may register, strangers choose how many there are. */
const MAX_SERVICES = 200

export interface PushServicesDeps {
  isAddressAllowed: IsAddressAllowed
  /** Resolves names instead of the system. */
  lookup?: LookupFunction | undefined
  /** An authority (PEM) to trust besides the built-in ones. */
  ca?: string | undefined
  requestTimeoutMs: number
  logger: Logger
  /** What requests go through: pools of our own unless given. */
  openClient?: (options: Http2PoolOptions) => Http2Client
}

/** The clients of all push services, each with connections and a pace of its own. */
export class PushServices {
  readonly #deps: PushServicesDeps
  /** By origin; the one used last is the last. */
  readonly #clients = new Map<string, Http2Client>()
  readonly #closing = new Set<Promise<void>>()
  #isClosed = false

  constructor(deps: PushServicesDeps) {
    this.#deps = deps
  }

  /** The client for an origin (`https://host[:port]`). */
  clientFor(origin: string): Http2Client {
    const client = this.#clients.get(origin) ?? this.#open(origin)
    this.#clients.delete(origin)
    this.#clients.set(origin, client)
    const [oldest] = this.#clients
    if (oldest && this.#clients.size > MAX_SERVICES) this.#drop(...oldest)
    return client
  }

  /** Lets open streams finish, then closes connections. Safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const [origin, client] of this.#clients) this.#drop(origin, client)
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
    // Nothing is sent any more, and what is tried fails as closed.
    if (this.#isClosed) void client.close()
    return client
  }

  #drop(origin: string, client: Http2Client): void {
    this.#clients.delete(origin)
    const closing = client.close().finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
  }
}
