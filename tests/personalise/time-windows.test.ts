import { describe, expect, test } from 'vitest'
import { isInside, nextStart, parseTimeWindow, TimeWindowError } from '../../src/personalise/time-window.ts'
import { isTimeZone } from '../../src/personalise/zone-clock.ts'
import { findDifferences, ZONES } from './reference-windows.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const at = (iso: string) => Date.parse(iso)
const windowOf = (after: string, before: string) =>
  parseTimeWindow({ send_after_time: after, send_before_time: before })

describe('parsing a window', () => {
  test.each([
    ['09:00:00', '09:30:00', { afterMs: 32_400_000, beforeMs: 34_200_000 }],
    ['22:00:00', '06:00:01', { afterMs: 79_200_000, beforeMs: 21_601_000 }],
    ['00:00:00', '23:59:59', { afterMs: 0, beforeMs: 86_399_000 }],
  ])('accepts %s to %s', (after, before, expected) => {
    expect(windowOf(after, before)).toEqual(expected)
  })

  test.each([
    ['', '09:00:00', 'send_after_time'],
    ['09:00', '10:00:00', 'send_after_time'],
    ['9:00:00', '10:00:00', 'send_after_time'],
    ['24:00:00', '10:00:00', 'send_after_time'],
    ['09:00:00', '10:60:00', 'send_before_time'],
    ['09:00:00', '10:00:60', 'send_before_time'],
    ['09:00:00', '10:00:00Z', 'send_before_time'],
    ['09:00:00', '', 'send_before_time'],
    ['09:00:00', '09:00:00', 'send_before_time'],
  ])('refuses "%s" to "%s", and the error names %s', (after, before, field) => {
    const parse = () => windowOf(after, before)
    expect(parse).toThrow(TimeWindowError)
    expect(parse).toThrow(new RegExp(`^${field}: `))
  })
})

test.each([
  ['in the day', '09:00:00', '10:00:00', 'Europe/Berlin', '2026-07-01T07:00:00Z', true, '2026-07-02T07:00:00Z'],
  ['before it', '09:00:00', '10:00:00', 'Europe/Berlin', '2026-07-01T06:59:59.999Z', false, '2026-07-01T07:00:00Z'],
  ['at its end', '09:00:00', '10:00:00', 'Europe/Berlin', '2026-07-01T08:00:00Z', false, '2026-07-02T07:00:00Z'],
  ['past midnight', '22:00:00', '06:00:00', 'Asia/Kolkata', '2026-07-01T00:00:00Z', true, '2026-07-01T16:30:00Z'],
  ['between nights', '22:00:00', '06:00:00', 'Asia/Kolkata', '2026-07-01T12:00:00Z', false, '2026-07-01T16:30:00Z'],
  [
    'before a skipped start',
    '02:30:00',
    '04:00:00',
    'Europe/Berlin',
    '2026-03-29T00:59:59Z',
    false,
    '2026-03-29T01:00:00Z',
  ],
  ['at a skipped start', '02:30:00', '04:00:00', 'Europe/Berlin', '2026-03-29T01:00:00Z', true, '2026-03-30T00:30:00Z'],
  [
    'before a skipped end',
    '01:00:00',
    '02:30:00',
    'Europe/Berlin',
    '2026-03-29T00:59:59Z',
    true,
    '2026-03-29T23:00:00Z',
  ],
  ['at a skipped end', '01:00:00', '02:30:00', 'Europe/Berlin', '2026-03-29T01:00:00Z', false, '2026-03-29T23:00:00Z'],
  [
    'skipped as a whole',
    '02:10:00',
    '02:50:00',
    'Europe/Berlin',
    '2026-03-29T00:00:00Z',
    false,
    '2026-03-30T00:10:00Z',
  ],
  [
    'at the first of two starts',
    '02:30:00',
    '04:00:00',
    'Europe/Berlin',
    '2026-10-25T00:30:00Z',
    true,
    '2026-10-26T01:30:00Z',
  ],
  ['between two starts', '02:30:00', '04:00:00', 'Europe/Berlin', '2026-10-25T01:15:00Z', true, '2026-10-26T01:30:00Z'],
  [
    'at the first of two ends',
    '01:00:00',
    '02:30:00',
    'Europe/Berlin',
    '2026-10-25T00:30:00Z',
    false,
    '2026-10-26T00:00:00Z',
  ],
  ['between two ends', '01:00:00', '02:30:00', 'Europe/Berlin', '2026-10-25T01:10:00Z', false, '2026-10-26T00:00:00Z'],
  [
    'at a skipped midnight',
    '00:00:00',
    '01:30:00',
    'Africa/Cairo',
    '2026-04-23T22:00:00Z',
    true,
    '2026-04-24T21:00:00Z',
  ],
  ['in UTC', '00:00:00', '00:00:01', 'UTC', '2026-01-01T00:00:00.999Z', true, '2026-01-02T00:00:00Z'],
])('%s: from %s to %s in %s, %s', (_, after, before, zone, time, inside, next) => {
  const window = windowOf(after, before)
  expect(isInside(window, zone, at(time))).toBe(inside)
  expect(new Date(nextStart(window, zone, at(time))).toISOString()).toBe(new Date(next).toISOString())
})

test('accepts only the names of zones', () => {
  for (const zone of [...ZONES, 'UTC', 'Asia/Calcutta', 'US/Pacific']) expect(isTimeZone(zone)).toBe(true)
  for (const zone of ['', 'Mars/Olympus', '+01:00', 'GMT+25', 'Europe', '../etc']) expect(isTimeZone(zone)).toBe(false)
})

/** The days of 2026 and 2027 before clock changes of a zone, and one other day per zone. */
function chooseDays(zone: string, index: number): number[] {
  const hour = new Intl.DateTimeFormat('en', { timeZone: zone, hour: 'numeric', minute: 'numeric' })
  const days = Array.from({ length: 730 }, (_, day) => Date.UTC(2026, 0, 1 + day))
  const changes = days.filter((day) => hour.format(day) !== hour.format(day + DAY_MS))
  return [...changes, ...days.slice(index, index + 1)]
}

test('agrees with the clock of every zone, around each of its changes and on other days', {
  timeout: 120_000,
}, () => {
  const differences = ZONES.flatMap((zone, index) =>
    chooseDays(zone, index).flatMap((day) => findDifferences(zone, day - DAY_MS, day + 2 * DAY_MS)),
  )
  expect(differences).toEqual([])
})
