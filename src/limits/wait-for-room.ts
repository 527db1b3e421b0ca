import type { RatePolicy } from '../sends/rate-limit.ts'

/**
 * Milliseconds until all policies allow one more grant, 0 if they do. For each policy there is room as soon as the
 * grant `rate` places back has left the window.
 * @param times the times of the grants in Unix ms, ascending; times in the future, after the clock was set back, count
 *   as now
 */
export function waitForRoom(times: readonly number[], policies: readonly RatePolicy[], nowMs: number): number {
  const waits = policies.map(({ rate, intervalMs }) => {
    const atMs = times[times.length - rate]
    return atMs === undefined ? 0 : Math.min(atMs, nowMs) + intervalMs - nowMs
  })
  return Math.max(0, ...waits)
}
