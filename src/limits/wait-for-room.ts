import type { RatePolicy } from '../sends/rate-limit.ts'

/**
 * Milliseconds until all policies allow a grant more, 0 if they do. The one that counts is `rate` places back: there is
 * room as soon as it has left the window.
 * @param times of the grants so far in Unix ms, ascending; should the clock have been set back, those in its future
 *   count as of now
 */
export function waitForRoom(times: readonly number[], policies: readonly RatePolicy[], nowMs: number): number {
  const waits = policies.map(({ rate, intervalMs }) => {
    const atMs = times[times.length - rate]
    return atMs === undefined ? 0 : Math.min(atMs, nowMs) + intervalMs - nowMs
  })
  return Math.max(0, ...waits)
}
