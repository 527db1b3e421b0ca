import type { LookupFunction } from 'node:net'
import type { Logger } from '../observability/log.ts'
import type { IsAddressAllowed } from './address-guard.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'
import type { Credentials } from './connection/connect-tls.ts'
import type { Http2Answer } from './http2-client.ts'
import type { Http2Timing } from './http2-timing.ts'

/** Options of a pool. */
export interface Http2PoolOptions extends Credentials {
  /** `https://host[:port]`. */
  origin: string
  /** Replaces the system's resolver. */
  lookup?: LookupFunction | undefined
  /**
   * Decides for every address before a connection to it, also for an address in `origin`. All are allowed unless given.
   */
  isAddressAllowed?: IsAddressAllowed | undefined
  maxConnections: number
  /** Limit of open streams of one connection, in addition to the server's. 1000 unless given. */
  maxStreamsPerConnection?: number | undefined
  /**
   * Whether an answer asks for a lower rate. The pool then reduces the requests in flight for a while, and requests
   * that are queued longer than `waitTimeoutMs` fail with `no_stream_free`. Status 429 and 503 unless given.
   */
  isBusy?: (answer: Http2Answer) => boolean
  /**
   * Whether an answer shows that the server does not work. Server errors and redirects without Retry-After unless
   * given. The requests have to name `retry-after` in their `answerHeaders`.
   */
  isFailure?: (answer: Http2Answer) => boolean
  /** Stops requests in an outage of the server. It needs the clock of the pool. One with default times unless given. */
  breaker?: CircuitBreaker | undefined
  /** Replaces time-outs of `DEFAULT_TIMING`. */
  timing?: Partial<Http2Timing>
  logger: Logger
  /** A monotonic clock, in ms: `performance.now` unless given. */
  nowMs?: () => number
}
