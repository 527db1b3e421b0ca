/** A Retry-After outside of this is a mistake of somebody's: 0 would hammer, a day would outlive the send. */
const MIN_RETRY_AFTER_SECONDS = 1
const MAX_RETRY_AFTER_SECONDS = 3600

/**
 * The value of a Retry-After header (RFC 9110 section 10.2.3: seconds or an HTTP date), between a second and an hour;
 * undefined where there is none that can be read.
 */
export function parseRetryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined
  const text = value.trim()
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - nowMs) / 1000
  if (Number.isNaN(seconds)) return undefined
  return Math.ceil(Math.min(Math.max(seconds, MIN_RETRY_AFTER_SECONDS), MAX_RETRY_AFTER_SECONDS) * 1000)
}
