import type { Http2Error } from '../http2/http2-error.ts'
import type { Outcome } from './provider.ts'

/**
 * Error codes for a request that cannot be written, or that goes to a forbidden address: another attempt would fail
 * too.
 */
const FINAL_CODES: ReadonlySet<string> = new Set(['request_invalid', 'address_refused'])

/**
 * The outcome of a target after a request that got no answer. Undefined if the request was aborted or withdrawn: then
 * the target stays unsettled.
 * @param minDelayMs the shortest delay that the provider asks for before another attempt
 */
export function outcomeOfTransportFailure(error: Http2Error, minDelayMs: number): Outcome | undefined {
  if (FINAL_CODES.has(error.code)) return { kind: 'rejected', reason: error.code }
  switch (error.kind) {
    case 'unsent':
      return { kind: 'retry', reason: error.code }
    case 'ambiguous':
      return { kind: 'retry', reason: error.code, minDelayMs, maybeDelivered: true }
    case 'aborted':
      return undefined
  }
}
