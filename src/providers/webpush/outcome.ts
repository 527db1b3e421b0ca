// Decides the outcome of a target from the push service's answer, by RFC 8030 section 5, RFC 8292 section 4.2 and the
// documentation of Mozilla (https://mozilla-services.github.io/autopush-rs/errors.html) and Windows
// (https://learn.microsoft.com/windows/apps/design/shell/tiles-and-notifications/push-request-response-headers).
import type { Outcome } from '../provider.ts'
import { parseRetryAfterMs } from '../retry-after.ts'

/** The shortest delay before another attempt, in ms, if the push service names no delay. */
export const MIN_RETRY_DELAY_MS = 10_000

/** The parts of the push service's answer that determine the outcome. */
export interface WebPushAnswer {
  status: number
  retryAfter: string | undefined
  /** The header `Location`: the URL of the accepted message. */
  location: string | undefined
  body: string
  /** Whether the Windows service (WNS) answered. It answers too many requests with a status of its own. */
  isWns: boolean
}

/** The text with which FCM answers 400 if the subscription was made with another VAPID key. */
const UNAUTHORIZED = 'UnauthorizedRegistration'

/** The outcome of a target after the push service's answer. Its reason is `HTTP_<status>`. */
export function outcomeOf(answer: WebPushAnswer, nowMs: number): Outcome {
  const { status, isWns } = answer
  const reason = `HTTP_${status}`
  if (status >= 200 && status < 300) return { kind: 'sent', messageId: answer.location ?? '' }
  if (status === 404 || status === 410) return { kind: 'tokenGone', reason }
  if (status === 401 || status === 403) return { kind: 'credential', reason }
  if (status === 400 && answer.body.includes(UNAUTHORIZED)) return { kind: 'credential', reason }
  const isBusy = status === 429 || (status === 406 && isWns)
  if (isBusy || status === 408 || status >= 500) {
    const afterMs = parseRetryAfterMs(answer.retryAfter, nowMs)
    return { kind: 'retry', reason, ...(afterMs === undefined ? { minDelayMs: MIN_RETRY_DELAY_MS } : { afterMs }) }
  }
  // Redirects are not followed: the owner of the endpoint could direct requests to any address.
  return { kind: 'rejected', reason }
}
