import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Logger } from '../observability/log.ts'

/** The explanation of a loop for the operator. */
export const LOOP_CAUSE =
  'upstream.address leads back to centripush itself: set it to the address of the Centrifugo node'

/** Interval of the log lines about a loop, in ms. */
const LOG_INTERVAL_MS = 60_000

/**
 * The entry of this process in `Via` (RFC 9110 section 7.6.3). Each request to the node has it. So a request that
 * arrives with it was sent by this process, which must not send it again.
 */
export class Via {
  readonly #logger: Logger
  readonly #pseudonym = `centripush-${randomBytes(8).toString('hex')}`
  readonly #own = `1.1 ${this.#pseudonym}`
  #loggedAtMs = Number.NEGATIVE_INFINITY

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** The value for the node: the entries of other proxies, then this one. */
  extend(via: string | undefined): string {
    return via === undefined ? this.#own : `${via}, ${this.#own}`
  }

  /** Whether this process sent the request. Logs it once a minute. */
  isLoop({ via }: IncomingHttpHeaders): boolean {
    if (!via?.includes(this.#pseudonym)) return false
    const nowMs = performance.now()
    if (nowMs - this.#loggedAtMs >= LOG_INTERVAL_MS) {
      this.#loggedAtMs = nowMs
      this.#logger.error({ cause: LOOP_CAUSE }, 'upstream: requests come back, refused')
    }
    return true
  }
}
