import { ApiError } from '../../protocol/errors.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** The ranges up to the present that a reader can choose, each with its steps. */
export const RANGES = {
  '1h': { text: '1 hour', lengthMs: HOUR_MS, stepMs: MINUTE_MS },
  '6h': { text: '6 hours', lengthMs: 6 * HOUR_MS, stepMs: 5 * MINUTE_MS },
  '24h': { text: '24 hours', lengthMs: DAY_MS, stepMs: HOUR_MS },
  '7d': { text: '7 days', lengthMs: 7 * DAY_MS, stepMs: 2 * HOUR_MS },
  '30d': { text: '30 days', lengthMs: 30 * DAY_MS, stepMs: 12 * HOUR_MS },
} as const

/** The name of a range. */
export type RangeName = keyof typeof RANGES

/** A range as a chart shows it: whole steps. */
export interface TimeRange {
  name: RangeName
  fromMs: number
  toMs: number
  stepMs: number
}

/** Reads the range of a page; a day unless given. @throws ApiError badRequest */
export function readRange(name: string | undefined, nowMs: number): TimeRange {
  const chosen = name === undefined || name === '' ? '24h' : name
  if (!isRange(chosen)) throw new ApiError('badRequest', `range: expected one of ${Object.keys(RANGES).join(', ')}`)
  const { lengthMs, stepMs } = RANGES[chosen]
  const toMs = Math.ceil((nowMs + 1) / stepMs) * stepMs
  return { name: chosen, fromMs: toMs - lengthMs, toMs, stepMs }
}

function isRange(name: string): name is RangeName {
  return Object.hasOwn(RANGES, name)
}
