// Limits for the delay of a Retry-After header: 0 would flood the provider, and after a day the send would have ended.
const MIN_RETRY_AFTER_SECONDS = 1
const MAX_RETRY_AFTER_SECONDS = 3600

/**
 * The delay of a Retry-After header (RFC 9110 section 10.2.3: seconds or an HTTP date), limited to between a second and
 * an hour. Undefined if there is no header or its value is not valid.
 */
export function parseRetryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined
  const text = value.trim()
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - nowMs) / 1000
  if (Number.isNaN(seconds)) return undefined
  return Math.ceil(Math.min(Math.max(seconds, MIN_RETRY_AFTER_SECONDS), MAX_RETRY_AFTER_SECONDS) * 1000)
}
