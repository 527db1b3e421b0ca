import { expect, it } from 'vitest'
import { canonicalizeTimezone } from './timezone.ts'

it.each([
  ['Europe/Berlin', 'Europe/Berlin'],
  ['europe/berlin', 'europe/berlin'],
  ['Asia/Calcutta', 'Asia/Calcutta'],
  ['Europe/Kyiv', 'Europe/Kyiv'],
  ['US/Pacific', 'US/Pacific'],
  ['EST5EDT', 'EST5EDT'],
  ['UTC', 'UTC'],
  ['GMT', 'GMT'],
  ['Etc/GMT-2', 'Etc/GMT-2'],
  [' Europe/Berlin ', 'Europe/Berlin'],
  // Java and Android, iOS, .NET.
  ['GMT+02:00', 'Etc/GMT-2'],
  ['GMT-0500', 'Etc/GMT+5'],
  ['UTC+2', 'Etc/GMT-2'],
  ['GMT+14:00', 'Etc/GMT-14'],
  ['GMT-12:00', 'Etc/GMT+12'],
  ['GMT+00:00', 'Etc/GMT'],
])('the time zone %s is stored as %s', (text, name) => {
  expect(canonicalizeTimezone(text)).toBe(name)
  expect(canonicalizeTimezone(text)).toBe(name)
})

it.each(['', '+02:00', '02:00', 'GMT+05:30', 'GMT+15', 'GMT-13:00', 'GMT+2:0', 'Z', 'CEST', 'PDT', '(null)', 'Berlin'])(
  '"%s" is no time zone',
  (text) => {
    expect(canonicalizeTimezone(text)).toBeUndefined()
  },
)

it('of a fixed offset is the zone with that offset', () => {
  const format = (timeZone = '') => new Date(0).toLocaleString('en-GB', { timeZone })
  expect(format(canonicalizeTimezone('GMT+02:00'))).toBe('01/01/1970, 02:00:00')
  expect(format(canonicalizeTimezone('UTC-5'))).toBe('31/12/1969, 19:00:00')
})
