// An outage of a provider: the circuit breaker of one of its origins is not closed.
import { type BreakerOptions, CircuitBreaker } from '../http2/circuit-breaker.ts'
import type { Availability, Settle } from './provider.ts'

/** Makes the circuit breaker of an origin, `https://host[:port]`. */
export type MakeBreaker = (origin: string, options?: BreakerOptions) => CircuitBreaker

/** Makes breakers that report no outages. */
export const makeSilentBreaker: MakeBreaker = (_, options) => new CircuitBreaker(options)

/** The availability of a provider that needs all of its origins. */
export function combineBreakers(breakers: readonly CircuitBreaker[]): Availability {
  return {
    get state() {
      if (breakers.every(({ isClosed }) => isClosed)) return 'up'
      return breakers.every(({ admits }) => admits) ? 'probe' : 'down'
    },
    get upForMs() {
      return Math.min(...breakers.map(({ upForMs }) => upForMs))
    },
  }
}

/**
 * The server reset the stream of the request and kept the connection: a reaction to this request. The attempt counts,
 * so that a request that is always reset ends, also when nothing else is sent.
 */
const RESET = 'stream_reset'

/** Settles targets as `settle` does, and marks retries during an outage: their attempts do not count. */
export function markOutage(settle: Settle, breakers: readonly CircuitBreaker[]): Settle {
  return (index, outcome) => {
    if (outcome.kind !== 'retry' || outcome.reason === RESET) return settle(index, outcome)
    const breaker = breakers.find(({ isClosed }) => !isClosed)
    settle(index, breaker ? { ...outcome, outageDelayMs: breaker.retryDelayMs } : outcome)
  }
}
