import { expect, test } from 'vitest'
import type { ProviderName } from '../../config/provider-names.ts'
import type { SendReport } from '../../queue/report.ts'
import { readSendLatencies } from './send-latency.ts'

const SENT_AT = 1_000_000

function report(firstMs: number, lastMs: number, more: Partial<SendReport> = {}, provider: ProviderName = 'fcm') {
  return {
    uid: 'a',
    analyticsUid: 'a',
    state: 'ended' as const,
    subject: undefined,
    acceptedAtMs: SENT_AT,
    sendAtMs: undefined,
    expireAtMs: undefined,
    firstAtMs: SENT_AT + firstMs,
    lastAtMs: SENT_AT + lastMs,
    endedAtMs: SENT_AT + lastMs,
    counts: [{ provider, counted: 'sent' as const, reason: '', count: 1 }],
    delivered: 0,
    interacted: 0,
    ...more,
  }
}

test('latencies of sends count from the time at which they are due, and only ended ones have them', () => {
  const reports = [
    report(10, 100),
    report(20, 200),
    report(5030, 5300, { sendAtMs: SENT_AT + 5000 }),
    report(1, 1, { state: 'active' }),
    report(1, 1, { firstAtMs: undefined, lastAtMs: undefined }),
    report(900, 9000, {}, 'apns'),
  ]
  expect(readSendLatencies(reports, 'fcm')).toEqual({
    count: 3,
    latencies: [
      { result: 'first', medianMs: 20, p95Ms: 30 },
      { result: 'last', medianMs: 200, p95Ms: 300 },
    ],
  })
  expect(readSendLatencies(reports, '').count).toBe(4)
  expect(readSendLatencies(reports, 'hms')).toEqual({ count: 0, latencies: [] })
})
