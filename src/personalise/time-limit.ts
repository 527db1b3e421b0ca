// When a device may be sent to, by what is known of its clock.
import type { TimeLimit } from '../sends/time-limit.ts'
import { isInside, nextStart } from './time-window.ts'
import { isTimeZone } from './zone-clock.ts'

/**
 * Milliseconds until a device may be sent to: 0 inside the window, undefined where it never may.
 * @param zone empty, and so are names that this process does not know, where the device has none
 * @param atMs Unix time in ms
 */
export function waitForWindow(limit: TimeLimit, zone: string, atMs: number): number | undefined {
  if (!isTimeZone(zone)) return limit.sendsWithoutZone ? 0 : undefined
  return isInside(limit, zone, atMs) ? 0 : nextStart(limit, zone, atMs) - atMs
}
