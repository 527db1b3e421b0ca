import { expect, test } from 'vitest'
import { fc } from '../../tests/support/fast-check.ts'
import type { RecordedEvent } from '../analytics/analytics.ts'
import type { SendReport } from '../queue/report.ts'
import { CHECKS, runChecks } from './checks.ts'
import type { PushFacts } from './facts.ts'

const NOW_MS = 1_800_000_000_000
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const times = fc.integer({ min: NOW_MS - 10_000, max: NOW_MS + 10_000 })

const events: fc.Arbitrary<RecordedEvent> = fc.record({
  timeMs: times,
  uid: fc.constant('a-send'),
  status: fc.constantFrom('sent', 'failed', 'expired', 'cancelled', 'dropped', 'retry', 'delivered', 'interacted'),
  provider: fc.constant('fcm'),
  recipientType: fc.constant('token'),
  recipient: fc.constant(''),
  deviceId: fc.constant('a-device'),
  platform: fc.constant('android'),
  user: fc.constant('a-user'),
  messageId: fc.constant(''),
  errorCode: fc.constantFrom('', 'UNREGISTERED', 'rate_limited', 'no_timezone', 'excluded', 'time_limit'),
  errorMessage: fc.constant(''),
  attempt: fc.constant(0),
  latencyMs: fc.constant(0),
})

const reports: fc.Arbitrary<SendReport> = fc.record({
  uid: fc.constant('a-send'),
  analyticsUid: fc.constant('a-send'),
  state: fc.constantFrom('scheduled', 'active', 'cancelled', 'ended'),
  subject: maybe(
    fc.record({
      providers: fc.constantFrom(['fcm' as const], ['apns' as const]),
      recipient: fc.constant({ kind: 'filter' as const }),
    }),
  ),
  acceptedAtMs: times,
  sendAtMs: maybe(times),
  expireAtMs: maybe(times),
  firstAtMs: maybe(times),
  lastAtMs: maybe(times),
  endedAtMs: maybe(times),
  counts: fc.constant([]),
  delivered: fc.constant(0),
  interacted: fc.constant(0),
})

const facts: fc.Arbitrary<PushFacts> = fc.record({
  deviceId: fc.constantFrom('', 'a-device'),
  user: fc.constant('a-user'),
  platform: fc.constant('android'),
  provider: fc.constantFrom(undefined, 'fcm'),
  report: maybe(reports),
  device: maybe(fc.record({ createdAtMs: times, isMatched: fc.constantFrom(true, false, undefined) })),
  removal: maybe(fc.record({ atMs: times, reason: fc.constant('token gone') })),
  events: fc.array(events, { maxLength: 4 }),
  isEnabled: fc.boolean(),
  hasAllRows: fc.boolean(),
  pause: maybe(fc.record({ reason: fc.constant('stopped'), isProbed: fc.boolean() })),
  windowWaitMs: fc.constantFrom(0, 60_000, undefined),
  nowMs: fc.constant(NOW_MS),
})

/** The reason of the first check that has one. */
function findReason(given: PushFacts): string | undefined {
  const findings = runChecks(given).map(({ finding }) => finding)
  return findings.find((finding) => finding.kind === 'reason')?.reason
}

test('the last check always has a reason, and all checks are listed in their order', () => {
  void fc.assert(
    fc.property(facts, (given) => {
      expect(runChecks(given).map(({ name }) => name)).toEqual(CHECKS)
      expect(findReason(given)).toBeDefined()
    }),
  )
})

test('recorded rows decide over the present state of the send, the device and the provider', () => {
  void fc.assert(
    fc.property(facts, fc.constantFrom('sent', 'delivered'), events, (given, status, event) => {
      const recorded = { ...given, events: [{ ...event, status }] }
      const present = ['sent', 'delivered', 'device_removed']
      expect(present).toContain(findReason(recorded))
    }),
  )
})

test.each([
  ['sent', 'sent'],
  ['failed', 'failed'],
  ['expired', 'expired'],
  ['cancelled', 'cancelled'],
  ['delivered', 'delivered'],
  ['interacted', 'interacted'],
])('the reason %s has a row with the status %s', (reason, status) => {
  void fc.assert(
    fc.property(facts, (given) => {
      if (findReason(given) !== reason) return
      const { state, expireAtMs } = given.report ?? {}
      const isPresent =
        (reason === 'cancelled' &&
          (state === 'cancelled' || given.events.some((row) => row.errorCode === 'excluded'))) ||
        (reason === 'expired' && state === 'active' && (expireAtMs ?? Number.POSITIVE_INFINITY) <= NOW_MS)
      expect(isPresent || given.events.some((row) => row.status === status)).toBe(true)
    }),
  )
})

test('a push that was sent in the end did not fail, whatever failed before', () => {
  void fc.assert(
    fc.property(facts, events, (given, event) => {
      const sent = { ...given, events: [...given.events, { ...event, status: 'sent' }] }
      expect(['sent', 'delivered', 'interacted', 'device_removed']).toContain(findReason(sent))
    }),
  )
})
