import { expect, test } from 'vitest'
import { FailedLogins } from './failed-logins.ts'

const MINUTE_MS = 60_000

test('an address may fail five times, and then waits until the first failure is ten minutes old', () => {
  let nowMs = 0
  const failed = new FailedLogins(() => nowMs)
  for (let minute = 0; minute < 5; minute++) {
    expect(failed.waitMs('192.0.2.1')).toBe(0)
    nowMs = minute * MINUTE_MS
    failed.add('192.0.2.1')
  }
  expect(failed.waitMs('192.0.2.1')).toBe(6 * MINUTE_MS)
  expect(failed.waitMs('192.0.2.2')).toBe(0)
  nowMs = 10 * MINUTE_MS
  expect(failed.waitMs('192.0.2.1')).toBe(0)
})

test.each([
  ['2001:db8::1', '2001:db8::ffff:1', true],
  ['2001:db8:0:0:1:2:3:4', '2001:db8::9', true],
  ['2001:0db8::1', '2001:db8::2', true],
  ['2001:db8:0:1::1', '2001:db8::1', false],
  ['::1', '1::', false],
  // A proxy that listens for both families names clients of IPv4 so.
  ['::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
  ['::ffff:192.0.2.1', '192.0.2.1', true],
  ['0:0:0:0:0:FFFF:192.0.2.1', '192.0.2.1', true],
  ['::ffff:192.0.2.1', '::1', false],
])('addresses of IPv6 count by their network: %s and %s', (failing, other, isSame) => {
  const failed = new FailedLogins(() => 0)
  for (let attempt = 0; attempt < 5; attempt++) failed.add(failing)
  expect(failed.waitMs(other) > 0).toBe(isSame)
})

test('few addresses are remembered', () => {
  const failed = new FailedLogins(() => 0)
  for (let attempt = 0; attempt < 5; attempt++) failed.add('first')
  for (let other = 0; other < 10_000; other++) failed.add(`address ${other}`)
  expect(failed.waitMs('first')).toBe(0)
})
