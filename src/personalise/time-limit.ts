// The delay of a push by the time window of its send and the time zone of its device.
import type { TimeLimit } from '../sends/time-limit.ts'
import { isInside, nextStart } from './time-window.ts'
import { isTimeZone } from './zone-clock.ts'

/**
 * The milliseconds until a push may be sent to a device: 0 inside the time window; undefined: it may never be sent,
 * because the device has no time zone.
 * @param zone the time zone of the device; an empty or unknown name counts as none
 * @param atMs the current Unix time in ms
 */
export function waitForWindow(limit: TimeLimit, zone: string, atMs: number): number | undefined {
  if (!isTimeZone(zone)) return limit.sendsWithoutZone ? 0 : undefined
  return isInside(limit, zone, atMs) ? 0 : nextStart(limit, zone, atMs) - atMs
}
