// The delay of a push by the time window of its send and the time zone of its device.
import type { TimeLimit } from '../sends/time-limit.ts'
import { isInside, nextStart } from './time-window.ts'
import { isTimeZone } from './zone-clock.ts'

/**
 * The milliseconds until a push to a device may be sent: 0 inside the window, undefined for never.
 * @param zone the time zone of the device; an empty or unknown one is none
 * @param atMs Unix time in ms
 */
export function waitForWindow(limit: TimeLimit, zone: string, atMs: number): number | undefined {
  if (!isTimeZone(zone)) return limit.sendsWithoutZone ? 0 : undefined
  return isInside(limit, zone, atMs) ? 0 : nextStart(limit, zone, atMs) - atMs
}
