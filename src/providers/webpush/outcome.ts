// What push services' answers mean: RFC 8030 section 5, RFC 8292 section 4.2, and what the services of the browsers
// document beyond that (https://mozilla-services.github.io/autopush-rs/errors.html,
// https://learn.microsoft.com/windows/apps/design/shell/tiles-and-notifications/push-request-response-headers).
import type { Outcome } from '../provider.ts'
import { parseRetryAfterMs } from '../retry-after.ts'

/** What push services ask for where they name no delay. */
export const MIN_RETRY_DELAY_MS = 10_000

/** The parts of an answer that decide. */
export interface WebPushAnswer {
  status: number
  retryAfter: string | undefined
  /** Where the message is. */
  location: string | undefined
  body: string
  /** From Windows' service, which has an answer of its own for too many requests. */
  isWns: boolean
}

/** FCM's word, with 400, for a VAPID key that is not the subscription's. */
const UNAUTHORIZED = 'UnauthorizedRegistration'

/** The one place that decides what a push service's answer means for its target. Reasons are `HTTP_<status>`. */
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
  // A redirect as well: whoever chose the endpoint would choose where we go next.
  return { kind: 'rejected', reason }
}
