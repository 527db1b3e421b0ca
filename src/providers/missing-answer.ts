import { Http2Error } from '../http2/http2-error.ts'
import { AccessTokenError } from './access-tokens.ts'
import type { Outcome } from './provider.ts'

/** The request can't be written, or leads to where nothing may be sent to: trying again helps neither. */
const HOPELESS: ReadonlySet<string> = new Set(['request_invalid', 'address_refused'])

/**
 * What having no answer means for a target; undefined when the batch was aborted, which leaves it unsettled.
 * `minDelayMs`: how long the provider asks to be left alone. @throws what is a mistake of ours
 */
export function outcomeOfMissingAnswer(error: unknown, minDelayMs: number): Outcome | undefined {
  if (!(error instanceof AccessTokenError || error instanceof Http2Error)) throw error
  if (error instanceof Http2Error && HOPELESS.has(error.code)) return { kind: 'rejected', reason: error.code }
  switch (error.kind) {
    case 'refused':
      return { kind: 'credential', reason: 'oauth_refused' }
    case 'unavailable':
      return { kind: 'retry', reason: 'oauth_unavailable', minDelayMs }
    case 'unsent':
      return { kind: 'retry', reason: error.code }
    case 'ambiguous':
      return { kind: 'retry', reason: error.code, minDelayMs, maybeDelivered: true }
    case 'aborted':
      return undefined
  }
}
