import { describe, expect, it } from 'vitest'
import { type FcmAnswer, isBusy, isFailure, outcomeOf } from './outcome.ts'

const now = () => Date.parse('2026-03-01T00:00:00Z')

function answerOf(status: number, body: string, retryAfter?: string): FcmAnswer {
  return { status, header: () => retryAfter, bodyText: () => body }
}

function fcmError(errorCode: string): string {
  return plainError([{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode }])
}

function plainError(details: object[] = []): string {
  return JSON.stringify({ error: { code: 0, message: 'text of FCM', status: 'STATUS_OF_FCM', details } })
}

const BAD_REQUEST = {
  '@type': 'type.googleapis.com/google.rpc.BadRequest',
  fieldViolations: [{ field: 'message.data[0].value', description: 'must be strings' }],
}
const QUOTA_FAILURE = { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [{ subject: 'device:x' }] }
const HTML = '<!DOCTYPE html><title>Error 502 (Server Error)!!1</title>'

describe('the outcome of an FCM answer', () => {
  it.each([
    ['sent', 200, '{"name":"projects/p/messages/1"}', { kind: 'sent', messageId: 'projects/p/messages/1' }],
    ["sent, in FCM's layout", 200, '{\n  "name": "projects/p/1"\n}\n', { kind: 'sent', messageId: 'projects/p/1' }],
    ['sent, with an escape', 200, '{\n  "name": "a\\"b"\n}\n', { kind: 'sent', messageId: 'a"b' }],
    ['sent, with a second member', 200, '{\n  "name": "a", "b": "c"\n}\n', { kind: 'sent', messageId: 'a' }],
    ['unregistered', 404, fcmError('UNREGISTERED'), { kind: 'tokenGone', reason: 'UNREGISTERED' }],
    ['unregistered with another status', 400, fcmError('UNREGISTERED'), { kind: 'rejected', reason: 'UNREGISTERED' }],
    ['wrong project', 404, plainError(), { kind: 'credential', reason: 'HTTP_404' }],
    ['an unknown code of FCM with 404', 404, fcmError('NEW_CODE'), { kind: 'rejected', reason: 'HTTP_404' }],
    ['invalid token', 400, fcmError('INVALID_ARGUMENT'), { kind: 'rejected', reason: 'INVALID_ARGUMENT' }],
    [
      'invalid payload',
      400,
      plainError([BAD_REQUEST]),
      { kind: 'rejected', reason: 'HTTP_400', field: 'message.data[0].value' },
    ],
    [
      'invalid payload, with a text in place of the field',
      400,
      plainError([{ ...BAD_REQUEST, fieldViolations: [{ field: 'the value of a user' }, {}] }]),
      { kind: 'rejected', reason: 'HTTP_400' },
    ],
    [
      'token of another project',
      403,
      fcmError('SENDER_ID_MISMATCH'),
      { kind: 'rejected', reason: 'SENDER_ID_MISMATCH' },
    ],
    [
      'APNs key at Firebase',
      401,
      fcmError('THIRD_PARTY_AUTH_ERROR'),
      { kind: 'rejected', reason: 'THIRD_PARTY_AUTH_ERROR' },
    ],
    ['access token refused', 401, plainError(), { kind: 'credential', reason: 'HTTP_401' }],
    ['permission denied', 403, plainError(), { kind: 'credential', reason: 'HTTP_403' }],
    ['permission denied in HTML', 403, HTML, { kind: 'credential', reason: 'HTTP_403' }],
    ['an unknown code of FCM with 403', 403, fcmError('NEW_CODE'), { kind: 'rejected', reason: 'HTTP_403' }],
    ['quota', 429, fcmError('QUOTA_EXCEEDED'), { kind: 'retry', reason: 'QUOTA_EXCEEDED', minDelayMs: 60_000 }],
    ['quota without code', 429, plainError([QUOTA_FAILURE]), { kind: 'retry', reason: 'HTTP_429', minDelayMs: 60_000 }],
    ['unavailable', 503, fcmError('UNAVAILABLE'), { kind: 'retry', reason: 'UNAVAILABLE', minDelayMs: 10_000 }],
    ['internal', 500, fcmError('INTERNAL'), { kind: 'retry', reason: 'INTERNAL', minDelayMs: 10_000 }],
    [
      'unspecified',
      400,
      fcmError('UNSPECIFIED_ERROR'),
      { kind: 'retry', reason: 'UNSPECIFIED_ERROR', minDelayMs: 10_000 },
    ],
    ['a load balancer', 502, HTML, { kind: 'retry', reason: 'HTTP_502', minDelayMs: 10_000 }],
    ['an unknown server error', 599, fcmError('NEW_CODE'), { kind: 'retry', reason: 'HTTP_599', minDelayMs: 10_000 }],
    ['no JSON', 500, '{"error":', { kind: 'retry', reason: 'HTTP_500', minDelayMs: 10_000 }],
    ['a redirect', 302, '', { kind: 'retry', reason: 'HTTP_302', minDelayMs: 10_000 }],
    ['request time-out', 408, '', { kind: 'retry', reason: 'HTTP_408', minDelayMs: 10_000 }],
    ['too large', 413, HTML, { kind: 'rejected', reason: 'HTTP_413' }],
    ['JSON of another form', 400, '{"error":{"details":[7]}}', { kind: 'rejected', reason: 'HTTP_400' }],
    [
      'success without a name',
      200,
      HTML,
      { kind: 'retry', reason: 'BAD_ANSWER', minDelayMs: 10_000, maybeDelivered: true },
    ],
  ])('%s', (_what, status, body, expected) => {
    expect(outcomeOf(answerOf(status, body), now)).toEqual(expected)
  })

  it.each([
    ['seconds', '30', 30_000],
    ['a date', 'Sun, 01 Mar 2026 00:02:00 GMT', 120_000],
    ['zero', '0', 1000],
    ['a date in the past', 'Sun, 01 Mar 2020 00:00:00 GMT', 1000],
    ['a day', '86400', 3_600_000],
  ])('honours Retry-After in %s, between a second and an hour', (_what, retryAfter, afterMs) => {
    for (const status of [429, 503]) {
      const outcome = outcomeOf(answerOf(status, plainError(), retryAfter), now)
      expect(outcome).toEqual({ kind: 'retry', reason: `HTTP_${status}`, afterMs })
    }
  })

  it('ignores a Retry-After that is neither seconds nor a date', () => {
    const outcome = outcomeOf(answerOf(429, plainError(), 'soon'), now)
    expect(outcome).toEqual({ kind: 'retry', reason: 'HTTP_429', minDelayMs: 60_000 })
  })
})

describe('an FCM answer that asks for a lower rate', () => {
  const quotaOf = (...subjects: string[]) => {
    const type = 'type.googleapis.com/google.rpc.QuotaFailure'
    return plainError([{ '@type': type, violations: subjects.map((subject) => ({ subject })) }])
  }

  it.each([
    ['the quota of the project', 429, quotaOf('projects/p'), true],
    ['an unnamed quota', 429, fcmError('QUOTA_EXCEEDED'), true],
    ['quotas of a device and the project', 429, quotaOf('device:d', 'projects/p'), true],
    ['too many requests in HTML', 429, HTML, true],
    ['unavailable', 503, fcmError('UNAVAILABLE'), true],
    ['the quota of one device', 429, quotaOf('device:d'), false],
    ['internal error', 500, fcmError('INTERNAL'), false],
    ['unregistered', 404, fcmError('UNREGISTERED'), false],
  ])('%s: %i', (_what, status, body, expected) => {
    expect(isBusy({ status, bodyText: () => body })).toBe(expected)
  })
})

describe('an FCM answer that shows an outage', () => {
  it.each([
    ['the name of a message', 200, '{"name":"projects/p/messages/1"}', false],
    ["FCM's layout", 200, '{\n  "name": "projects/p/1"\n}\n', false],
    ["FCM's layout, cut off", 200, '{\n  "name": "proj', true],
    ['a success in HTML', 200, HTML, true],
    ['an empty success', 200, '', true],
    ['a redirect', 302, '', true],
    ['a server error', 502, HTML, true],
    ['unregistered', 404, fcmError('UNREGISTERED'), false],
  ])('%s: %i', (_what, status, body, expected) => {
    expect(isFailure(answerOf(status, body))).toBe(expected)
  })

  it('is none with Retry-After', () => {
    expect(isFailure(answerOf(503, HTML, '30'))).toBe(false)
  })
})
