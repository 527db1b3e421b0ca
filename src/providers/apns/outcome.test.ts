import { describe, expect, it } from 'vitest'
import { isBusy, outcomeOf } from './outcome.ts'

const NOW = Date.parse('2026-03-01T00:00:00Z')
const SINCE = NOW - 86_400_000

function answer(status: number, body: string, retryAfter?: string) {
  return outcomeOf({ status, body, retryAfter, apnsId: 'the-id' }, NOW)
}

function refused(status: number, reason: string, members: object = {}) {
  return answer(status, JSON.stringify({ reason, ...members }))
}

const rejected = (reason: string) => ({ kind: 'rejected', reason })
const credential = (reason: string) => ({ kind: 'credential', reason })
const retry = (reason: string, minDelayMs: number) => ({ kind: 'retry', reason, minDelayMs })

describe('an answer of APNs', () => {
  it('with 200 is sent, under the id of the notification', () => {
    expect(answer(200, '')).toEqual({ kind: 'sent', messageId: 'the-id' })
  })

  it.each([
    [400, 'BadCollapseId'],
    [400, 'BadDeviceToken'],
    [400, 'BadExpirationDate'],
    [400, 'BadMessageId'],
    [400, 'BadPriority'],
    [400, 'BadTopic'],
    [400, 'DeviceTokenNotForTopic'],
    [400, 'DuplicateHeaders'],
    [400, 'InvalidPushType'],
    [400, 'MissingDeviceToken'],
    [400, 'MissingTopic'],
    [400, 'PayloadEmpty'],
    [400, 'TopicDisallowed'],
    [400, 'FeatureNotEnabled'],
    [400, 'MissingChannelId'],
    [400, 'BadChannelId'],
    [400, 'ChannelNotRegistered'],
    [400, 'BadRequestParams'],
    [400, 'BadRequestPayload'],
    [400, 'MissingPushType'],
    [400, 'CannotCreateChannelConfig'],
    [400, 'TopicMismatch'],
    [404, 'BadPath'],
    [405, 'MethodNotAllowed'],
    [413, 'PayloadTooLarge'],
  ])('%d %s rejects the push and keeps the device', (status, reason) => {
    expect(refused(status, reason)).toEqual(rejected(reason))
  })

  it.each([
    [403, 'BadCertificate'],
    [403, 'BadCertificateEnvironment'],
    [403, 'BadEnvironmentKeyIdInToken'],
    [403, 'ExpiredProviderToken'],
    [403, 'Forbidden'],
    [403, 'InvalidProviderToken'],
    [403, 'MissingProviderToken'],
    [403, 'UnrelatedKeyIdInToken'],
    [429, 'TooManyProviderTokenUpdates'],
  ])('%d %s refuses the credential, and keeps the device', (status, reason) => {
    expect(refused(status, reason)).toEqual(credential(reason))
  })

  it.each([
    [429, 'TooManyRequests', 60_000],
    [500, 'InternalServerError', 10_000],
    [503, 'ServiceUnavailable', 10_000],
    [503, 'Shutdown', 10_000],
  ])('%d %s is a retry after at least %d ms', (status, reason, minDelayMs) => {
    expect(refused(status, reason)).toEqual(retry(reason, minDelayMs))
  })

  it('400 IdleTimeout is a retry without delay', () => {
    expect(refused(400, 'IdleTimeout')).toEqual({ kind: 'retry', reason: 'IdleTimeout' })
  })

  it.each(['Unregistered', 'ExpiredToken'])('410 %s is a dead token since the time of the answer', (reason) => {
    expect(refused(410, reason, { timestamp: SINCE })).toEqual({ kind: 'tokenGone', reason, sinceMs: SINCE })
  })

  it.each([
    ['no time', undefined, {}],
    ['a text', 'yesterday', {}],
    ['zero', 0, {}],
    ['a time in the future', NOW + 60_000, { sinceMs: NOW }],
  ])('410 Unregistered with %s never has a time in the future', (_what, timestamp, since) => {
    expect(refused(410, 'Unregistered', { timestamp })).toEqual({
      kind: 'tokenGone',
      reason: 'Unregistered',
      ...since,
    })
  })

  it.each([
    ['410 without a reason', 410, '', rejected('HTTP_410')],
    ['410 as a page of HTML', 410, '<html>', rejected('HTTP_410')],
    ['Unregistered with another status', 400, '{"reason":"Unregistered"}', rejected('Unregistered')],
  ])('%s removes no device', (_what, status, body, expected) => {
    expect(answer(status, body)).toEqual(expected)
  })

  it.each([
    ['an unknown reason with 400', 400, '{"reason":"NewReason"}', rejected('HTTP_400')],
    ['an unknown reason with 403', 403, '{"reason":"NewKeyRule"}', credential('HTTP_403')],
    ['an unknown reason with 500', 500, '{"reason":"NewError"}', retry('HTTP_500', 10_000)],
    ['too many requests without a reason', 429, '', retry('HTTP_429', 60_000)],
    ['HTML of a load balancer', 502, '<!DOCTYPE html>', retry('HTTP_502', 10_000)],
    ['a redirect', 302, '', retry('HTTP_302', 10_000)],
    ['a request time-out', 408, '', retry('HTTP_408', 10_000)],
    ['a status of success that APNs does not use', 204, '', retry('HTTP_204', 10_000)],
    ['JSON of another form', 400, '{"reason":7}', rejected('HTTP_400')],
    ['incomplete JSON', 500, '{"reason":"Shut', retry('HTTP_500', 10_000)],
  ])('%s has an outcome by its status, and its text is not in the reason', (_what, status, body, expected) => {
    expect(answer(status, body)).toEqual(expected)
  })

  it.each([429, 500, 503])('%d honours Retry-After', (status) => {
    expect(answer(status, '', '30')).toEqual({ kind: 'retry', reason: `HTTP_${status}`, afterMs: 30_000 })
  })
})

it.each([
  [429, 'TooManyRequests', false],
  [429, 'TooManyProviderTokenUpdates', true],
  [503, 'ServiceUnavailable', true],
  [500, 'InternalServerError', false],
  [410, 'Unregistered', false],
])('%d %s asks for a lower rate: %s', (status, reason, expected) => {
  expect(isBusy(status, () => JSON.stringify({ reason }))).toBe(expected)
})
