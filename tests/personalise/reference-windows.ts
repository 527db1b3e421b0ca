// The expected results of src/personalise/time-window.ts, without offsets and clock changes: this reference reads a
// zone's clock every quarter of an hour, and records the moment at which the clock first shows a time.
import { isInside, nextStart } from '../../src/personalise/time-window.ts'
import type { TimeWindow } from '../../src/sends/time-limit.ts'

const HOUR_MS = 60 * 60 * 1000
const DAY_MS = 24 * HOUR_MS
/** In these years all offsets and clock changes are multiples of a quarter of an hour. */
const STEP_MS = HOUR_MS / 4
/** The compared moments: whole hours, and half hours, at which some windows begin. */
const COMPARED_MS = HOUR_MS / 2

/** Windows by day, across midnight, long and short, and around the hours of clock changes. */
const WINDOWS: TimeWindow[] = [
  [9, 9.5],
  [22, 6],
  [0, 1],
  [2, 2.5],
  [1.5, 3],
  [2.5, 2],
  [23.5, 0],
  [0, 23.5],
].map(([after = 0, before = 0]) => ({ afterMs: after * HOUR_MS, beforeMs: before * HOUR_MS }))

export const ZONES: readonly string[] = Intl.supportedValuesOf('timeZone')

/**
 * Compares every half hour from one Unix time in ms to another, both whole hours.
 * @returns a description of each difference
 */
export function findDifferences(zone: string, fromMs: number, untilMs: number): string[] {
  const clock = readClock(zone, fromMs - 3 * DAY_MS, untilMs + 5 * DAY_MS)
  return WINDOWS.flatMap((window) => {
    const spans = findSpans(clock, window)
    const differences: string[] = []
    for (let atMs = fromMs, span = 0; atMs < untilMs; atMs += COMPARED_MS) {
      while ((spans[span]?.untilMs ?? Number.POSITIVE_INFINITY) <= atMs) span++
      const current = spans[span]
      if (!current) throw new Error('the reference ends too early')
      const expected = current.fromMs <= atMs
      const expectedNext = expected ? spans[span + 1]?.fromMs : current.fromMs
      if (isInside(window, zone, atMs) !== expected) differences.push(`${describe(zone, window, atMs)} ${!expected}`)
      const next = nextStart(window, zone, atMs)
      if (next !== expectedNext)
        differences.push(`${describe(zone, window, atMs)} next ${new Date(next).toISOString()}`)
    }
    return differences
  })
}

interface Reading {
  atMs: number
  /** The local time of the zone, as if it were UTC. */
  localMs: number
}

function readClock(zone: string, fromMs: number, untilMs: number): Reading[] {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
  const readings: Reading[] = []
  for (let atMs = fromMs; atMs < untilMs; atMs += STEP_MS) {
    readings.push({ atMs, localMs: Date.parse(`${format.format(atMs).replace(' ', 'T')}Z`) })
  }
  return readings
}

/**
 * The times at which the window is open: from the first moment at its start or later to the first moment at its end.
 */
function findSpans(
  clock: readonly Reading[],
  { afterMs, beforeMs }: TimeWindow,
): { fromMs: number; untilMs: number }[] {
  const spans: { fromMs: number; untilMs: number }[] = []
  const firstDayMs = Math.ceil((clock[0]?.localMs ?? 0) / DAY_MS) * DAY_MS
  let [opened, closed] = [0, 0]
  for (let dayMs = firstDayMs; ; dayMs += DAY_MS) {
    const closesMs = dayMs + beforeMs + (beforeMs < afterMs ? DAY_MS : 0)
    opened = findFirst(clock, opened, dayMs + afterMs)
    closed = findFirst(clock, closed, closesMs)
    const [from, until] = [clock[opened], clock[closed]]
    if (!from || !until) return spans
    if (from.atMs < until.atMs) spans.push({ fromMs: from.atMs, untilMs: until.atMs })
  }
}

function findFirst(clock: readonly Reading[], from: number, localMs: number): number {
  let index = from
  while (index < clock.length && (clock[index]?.localMs ?? 0) < localMs) index++
  return index
}

function describe(zone: string, { afterMs, beforeMs }: TimeWindow, atMs: number): string {
  return `${zone} ${afterMs / HOUR_MS} to ${beforeMs / HOUR_MS} at ${new Date(atMs).toISOString()}:`
}
