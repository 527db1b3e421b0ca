import type { RatePolicy } from '../sends/rate-limit.ts'

/**
 * Milliseconds until all policies allow one more grant for a key; 0 if they do now. A policy allows it as soon as the
 * `rate`th last grant is older than `intervalMs`.
 * @param times the times of the key's grants in Unix ms, ascending. After the clock was set back they may be in the
 *   future; then they count as now
 */
export function waitForRoom(times: readonly number[], policies: readonly RatePolicy[], nowMs: number): number {
  const waits = policies.map(({ rate, intervalMs }) => {
    const atMs = times[times.length - rate]
    return atMs === undefined ? 0 : Math.min(atMs, nowMs) + intervalMs - nowMs
  })
  return Math.max(0, ...waits)
}
