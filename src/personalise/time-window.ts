// Hours of the day in which a push may be sent, by the clock of its device.
//
// A window opens once on each local day, at its first moment `afterMs` into that day, and closes at the first moment
// `beforeMs` into the same day, or into the next where it goes over midnight. A clock that skips the hour that a window
// opens or closes in gets there when it goes on; a clock that shows an hour twice gets there at the first time. So a
// window can be shorter or longer than on other days, and one that lies in a skipped hour as a whole does not open.
import type { TimeWindow } from '../sends/time-limit.ts'
import { firstMoment, localDayOf } from './zone-clock.ts'

/** A window that a request can't mean. The message starts with the field's name. */
export class TimeWindowError extends Error {
  override readonly name = 'TimeWindowError'
}

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS

/** More than any clock ever skips windows in a row. */
const MAX_DAYS_AHEAD = 4

/** The window of a request's `time_limit`. @throws TimeWindowError */
export function parseTimeWindow(limit: { send_after_time: string; send_before_time: string }): TimeWindow {
  const afterMs = parseTimeOfDay('send_after_time', limit.send_after_time)
  const beforeMs = parseTimeOfDay('send_before_time', limit.send_before_time)
  // As a whole day it would be no limit, as no time at all nothing would be sent.
  if (afterMs === beforeMs) throw new TimeWindowError('send_before_time: is the same as send_after_time')
  return { afterMs, beforeMs }
}

/** @param zone a name that isTimeZone() knows @param atMs Unix time in ms */
export function isInside(window: TimeWindow, zone: string, atMs: number): boolean {
  const today = localDayOf(zone, atMs)
  // Today's window, or one that opened yesterday. Where midnight comes twice, today was tomorrow once before.
  for (let day = today - 1; day <= today + 1; day++) {
    const { opensMs, closesMs } = findTimes(window, zone, day)
    if (opensMs <= atMs && atMs < closesMs) return true
  }
  return false
}

/** When the window opens next after `atMs`, both Unix time in ms. @param zone a name that isTimeZone() knows */
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
  if (hours === undefined) throw new TimeWindowError(`${field}: is not a time of day as HH:MM:SS`)
  return Number(hours) * HOUR_MS + Number(minutes) * MINUTE_MS + Number(seconds) * SECOND_MS
}
