// The clocks of IANA time zones. Intl knows them, but each call takes microseconds, and a formatter for a zone takes
// 100 µs. So the offsets of a zone for the next weeks are read once and kept as a few numbers.

/** A span of time in which a clock is `offsetMs` ahead of UTC. It lasts from `fromMs` to the start of the next span. */
interface Span {
  fromMs: number
  offsetMs: number
}

/** The spans of a zone's clock that are known, from `fromMs` to `untilMs`. */
interface Clock {
  fromMs: number
  untilMs: number
  spans: readonly Span[]
}

const DAY_MS = 24 * 60 * 60 * 1000
/**
 * Spans are read for the interval around a moment from `BEHIND_MS` before to `AHEAD_MS` after it. They are read again
 * when less than `NEEDED_MS` around a moment is known. All are larger than any offset.
 */
const BEHIND_MS = 8 * DAY_MS
const AHEAD_MS = 60 * DAY_MS
const NEEDED_MS = 2 * DAY_MS
/** The step in which offsets are compared: no clock changes twice in a day. */
const PROBE_MS = DAY_MS
/** The most zones with kept spans. There are about 600 names. */
const MAX_CLOCKS = 1000

const clocks = new Map<string, Clock>()

/** Whether `zone` is a name of the IANA time zone database. */
export function isTimeZone(zone: string): boolean {
  if (clocks.has(zone)) return true
  // A name must begin with a letter: newer versions of Intl also accept offsets such as "+01:00", which are no names.
  if (!/^[A-Za-z]/.test(zone)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/**
 * The local day in a zone at a time, counted in days from 1970-01-01.
 * @param atMs Unix time in ms
 * @throws RangeError for an unknown zone
 */
export function localDayOf(zone: string, atMs: number): number {
  return Math.floor((atMs + offsetAt(clockAt(zone, atMs), atMs)) / DAY_MS)
}

/**
 * The first moment, as Unix time in ms, at which the clock of a zone shows this time of this day, or a later time.
 * @param day counted in days from 1970-01-01
 * @param timeMs the time of the day in ms since midnight
 * @throws RangeError for an unknown zone
 */
export function firstMoment(zone: string, day: number, timeMs: number): number {
  const localMs = day * DAY_MS + timeMs
  const { spans, untilMs } = clockAt(zone, localMs)
  for (const [index, { fromMs, offsetMs }] of spans.entries()) {
    const endMs = spans[index + 1]?.fromMs ?? untilMs
    // The moment is inside this span. If the clock skips the time, it is the start of this span.
    if (localMs < endMs + offsetMs) return Math.max(localMs - offsetMs, fromMs)
  }
  throw new Error('time zones: the time is outside of the known spans')
}

function offsetAt({ spans }: Clock, atMs: number): number {
  return spans.findLast(({ fromMs }) => fromMs <= atMs)?.offsetMs ?? 0
}

function clockAt(zone: string, atMs: number): Clock {
  const known = clocks.get(zone)
  if (known && known.fromMs <= atMs - NEEDED_MS && atMs + NEEDED_MS <= known.untilMs) return known
  const clock = readClock(zone, atMs - BEHIND_MS, atMs + AHEAD_MS)
  if (clocks.size < MAX_CLOCKS || known) clocks.set(zone, clock)
  return clock
}

function readClock(zone: string, fromMs: number, untilMs: number): Clock {
  const format = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' })
  let offsetMs = readOffset(format, fromMs)
  const spans: Span[] = [{ fromMs, offsetMs }]
  for (let atMs = fromMs; atMs < untilMs; atMs += PROBE_MS) {
    const nextMs = atMs + PROBE_MS
    const nextOffsetMs = readOffset(format, nextMs)
    if (nextOffsetMs === offsetMs) continue
    spans.push({ fromMs: findChange(format, atMs, nextMs), offsetMs: nextOffsetMs })
    offsetMs = nextOffsetMs
  }
  return { fromMs, untilMs, spans }
}

/** The first millisecond at which the clock has the offset that it has at `untilMs`. */
function findChange(format: Intl.DateTimeFormat, fromMs: number, untilMs: number): number {
  const offsetMs = readOffset(format, untilMs)
  let [before, after] = [fromMs, untilMs]
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (readOffset(format, middle) === offsetMs) after = middle
    else before = middle
  }
  return after
}

/** Reads the offset from UTC in a formatted date such as `11/23/2026, GMT+05:30`. For UTC itself it ends with `GMT`. */
function readOffset(format: Intl.DateTimeFormat, atMs: number): number {
  const [, sign, hours = '0', minutes = '0', seconds = '0'] =
    /GMT(?:([+-])(\d+)(?::(\d+))?(?::(\d+))?)?$/.exec(format.format(atMs)) ?? []
  const ms = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000
  return sign === '-' ? -ms : ms
}
