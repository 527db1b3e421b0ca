import type { LookupFunction } from 'node:net'
import type { IsAddressAllowed } from '../../http2/address-guard.ts'
import type { CircuitBreaker } from '../../http2/circuit-breaker.ts'
import type { Http2Client } from '../../http2/http2-client.ts'
import { Http2Pool } from '../../http2/http2-pool.ts'
import type { Http2PoolOptions } from '../../http2/http2-pool-options.ts'
import type { Logger } from '../../observability/log.ts'
import { type MakeBreaker, makeSilentBreaker } from '../outage.ts'
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
  /** Makes the circuit breaker of an origin. */
  makeBreaker?: MakeBreaker
  /** Opens the HTTP/2 client for the requests to one origin; an `Http2Pool` unless given. */
  openClient?: (options: Http2PoolOptions) => Http2Client
}

/** The connections to one push service. */
export interface PushService {
  client: Http2Client
  breaker: CircuitBreaker
}

/** One HTTP/2 client per push service, so that a slow service does not slow down the others. */
export class PushServices {
  readonly #deps: PushServicesDeps
  /** The services by origin, in the order of their last use. */
  readonly #services = new Map<string, PushService>()
  readonly #closing = new Set<Promise<void>>()
  #isClosed = false

  constructor(deps: PushServicesDeps) {
    this.#deps = deps
  }

  /** The service of an origin (`https://host[:port]`). It is opened at the first call. */
  serviceOf(origin: string): PushService {
    const service = this.#services.get(origin) ?? this.#open(origin)
    this.#services.delete(origin)
    this.#services.set(origin, service)
    const [oldest] = this.#services
    if (oldest && this.#services.size > MAX_SERVICES) this.#startClose(...oldest)
    return service
  }

  /** Ms since the last outage of any service that works now. */
  get upForMs(): number {
    const working = [...this.#services.values()].filter(({ breaker }) => breaker.isClosed)
    return Math.min(...working.map(({ breaker }) => breaker.upForMs))
  }

  /** Waits for the requests in flight, then closes the connections to all services. Safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const [origin, service] of this.#services) this.#startClose(origin, service)
    await Promise.all(this.#closing)
  }

  #open(origin: string): PushService {
    const { isAddressAllowed, lookup, ca, requestTimeoutMs, logger } = this.#deps
    const { openClient = (options) => new Http2Pool(options), makeBreaker = makeSilentBreaker } = this.#deps
    const isWindows = isWns(origin)
    const breaker = makeBreaker(origin)
    const client = openClient({
      origin,
      isAddressAllowed,
      lookup,
      ca,
      maxConnections: MAX_CONNECTIONS,
      maxStreamsPerConnection: MAX_STREAMS,
      isBusy: ({ status }) => status === 429 || status === 503 || (status === 406 && isWindows),
      breaker,
      timing: { requestTimeoutMs },
      logger,
    })
    // A client that is opened after `close` is closed at once: its requests fail with the code `closed`.
    if (this.#isClosed) void client.close()
    return { client, breaker }
  }

  #startClose(origin: string, { client }: PushService): void {
    this.#services.delete(origin)
    const closing = client.close().finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
  }
}
