import type { Http2Error } from '../http2/http2-error.ts'
import type { Outcome } from './provider.ts'

/** The request cannot be written, or its address may not be connected to: another attempt would fail as well. */
const FINAL_CODES: ReadonlySet<string> = new Set(['request_invalid', 'address_refused'])

/**
 * The outcome of a target after a request without an answer. Undefined when the request was aborted or withdrawn: the
 * target stays unsettled. `minDelayMs` is the delay that the provider asks for before another attempt.
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
