// Time windows: the hours of the day in which a push may be sent, by the local time of its device.
//
// A window opens once on each local day, when the clock first shows `afterMs` or later. It closes when the clock first
// shows `beforeMs` or later on the same day, or on the next day if the window crosses midnight. If the clock skips that
// time (daylight saving time starts), the window opens or closes at the end of the skipped hour. If the clock shows
// that time twice (daylight saving time ends), the first time counts. So a window can be shorter or longer than on
// other days, and a window inside a skipped hour does not open.
import type { TimeWindow } from '../sends/time-limit.ts'
import { firstMoment, localDayOf } from './zone-clock.ts'

/** The time window of a request is not valid. The message starts with the name of the field. */
export class TimeWindowError extends Error {
  override readonly name = 'TimeWindowError'
}

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS

/** How many days ahead the next opening is looked for. No clock skips the windows of so many days in a row. */
const MAX_DAYS_AHEAD = 4

/** Reads the time window of a request's `time_limit`. @throws TimeWindowError */
export function parseTimeWindow(limit: { send_after_time: string; send_before_time: string }): TimeWindow {
  const afterMs = parseTimeOfDay('send_after_time', limit.send_after_time)
  const beforeMs = parseTimeOfDay('send_before_time', limit.send_before_time)
  // Equal times could mean the whole day or no time at all, and neither is a limit.
  if (afterMs === beforeMs) throw new TimeWindowError('send_before_time: must differ from send_after_time')
  return { afterMs, beforeMs }
}

/** Whether the window is open at a time. @param zone a name that isTimeZone() accepts @param atMs Unix time in ms */
export function isInside(window: TimeWindow, zone: string, atMs: number): boolean {
  const today = localDayOf(zone, atMs)
  // The window that is open may be today's, or the one that opened yesterday. If the clock shows midnight twice,
  // tomorrow's may be open already.
  for (let day = today - 1; day <= today + 1; day++) {
    const { opensMs, closesMs } = findTimes(window, zone, day)
    if (opensMs <= atMs && atMs < closesMs) return true
  }
  return false
}

/**
 * The next time after `atMs` at which the window opens, both as Unix time in ms.
 * @param zone a name that isTimeZone() accepts
 */
export function nextStart(window: TimeWindow, zone: string, atMs: number): number {
  const today = localDayOf(zone, atMs)
  for (let day = today; ; day++) {
    const { opensMs, closesMs } = findTimes(window, zone, day)
    if ((opensMs > atMs && opensMs < closesMs) || day > today + MAX_DAYS_AHEAD) return opensMs
  }
}

function findTimes({ afterMs, beforeMs }: TimeWindow, zone: string, day: number) {
  const lastDay = beforeMs < afterMs ? day + 1 : day
  return { opensMs: firstMoment(zone, day, afterMs), closesMs: firstMoment(zone, lastDay, beforeMs) }
}

function parseTimeOfDay(field: string, text: string): number {
  const [, hours, minutes, seconds] = /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d)$/.exec(text) ?? []
  if (hours === undefined) throw new TimeWindowError(`${field}: must be a time of day as HH:MM:SS`)
  return Number(hours) * HOUR_MS + Number(minutes) * MINUTE_MS + Number(seconds) * SECOND_MS
}
