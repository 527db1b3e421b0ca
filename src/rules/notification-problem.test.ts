import { describe, expect, it } from 'vitest'
import type { ProviderName } from '../config/provider-names.ts'
import type { TargetKind } from '../sends/recipient.ts'
import { findNotificationProblem } from './notification-problem.ts'
import { describeProblem } from './problem.ts'

interface Given {
  json?: string
  headers?: Record<string, string>
  targetKind?: TargetKind
  isOpen?: (text: string) => boolean
}

function problemOf(
  provider: ProviderName,
  { json = '{}', headers = {}, targetKind, isOpen }: Given,
): string | undefined {
  const notification = { json: Buffer.from(json), headers: new Map(Object.entries(headers)) }
  const problem = findNotificationProblem(provider, notification, { targetKind, isOpen })
  return problem && describeProblem(provider, problem)
}

const ID = '6b3ba3e0-7ac1-4d2b-9d7e-0a4b1f6f8f5e'
const BACKGROUND = '{"aps":{"content-available":1}}'
const isOpen = (text: string) => text.includes('{{')

describe('headers of APNs', () => {
  it.each([
    [{ 'apns-collapse-id': 'x'.repeat(64) }],
    [{ 'apns-priority': '10' }],
    [{ 'APNS-Priority': ' 5 ' }],
    [{ 'apns-priority': '1' }],
    [{ 'apns-priority': '' }],
    [{ 'apns-expiration': '0' }],
    [{ 'apns-expiration': '1900000000' }],
    [{ 'apns-id': ID }],
    [{ 'apns-id': ID.toUpperCase() }],
    [{ 'apns-push-type': 'liveactivity', 'apns-topic': 'com.example.app.push-type.liveactivity' }],
    [{ 'apns-push-type': 'background', 'apns-priority': '5' }],
    [{ 'apns-channel-id': 'a', 'content-type': 'application/json' }],
  ])('%j are accepted', (headers) => {
    expect(problemOf('apns', { headers })).toBeUndefined()
  })

  it.each([
    [{ 'apns-collapse-id': 'x'.repeat(65) }, 'apns.headers.apns-collapse-id: is longer than 64 bytes'],
    [{ 'apns-priority': '7' }, 'apns.headers.apns-priority: must be 10, 5 or 1'],
    [{ 'apns-priority': 'high' }, 'apns.headers.apns-priority: must be 10, 5 or 1'],
    [{ 'Apns-Expiration': 'tomorrow' }, 'apns.headers.apns-expiration: must be a Unix time in seconds, or 0'],
    [{ 'apns-expiration': '-1' }, 'apns.headers.apns-expiration: must be a Unix time in seconds, or 0'],
    [{ 'apns-id': 'mine' }, 'apns.headers.apns-id: must be a UUID'],
    [
      { 'apns-push-type': 'Alert' },
      'apns.headers.apns-push-type: must be one of alert, background, mdm, voip, complication, fileprovider, ' +
        'location, pushtotalk, liveactivity, widgets, controls',
    ],
    [
      { 'apns-push-type': 'background', 'apns-priority': '10' },
      'apns.headers.apns-priority: must be 5 or 1 for a background push',
    ],
    [{ authorization: 'bearer x' }, 'apns.headers.authorization: is no header of APNs that a caller may set'],
  ])('%j are refused', (headers, problem) => {
    expect(problemOf('apns', { headers })).toBe(problem)
  })

  it('must fit the push type that the payload has', () => {
    const headers = { 'apns-priority': '10' }
    expect(problemOf('apns', { json: BACKGROUND, headers })).toMatch(/apns-priority: must be 5 or 1/)
    expect(problemOf('apns', { json: '{"aps":{"alert":"a"}}', headers })).toBeUndefined()
  })

  it('are not checked while their value is a template', () => {
    const open = Object.fromEntries(
      ['apns-collapse-id', 'apns-priority', 'apns-expiration', 'apns-id', 'apns-push-type'].map((name) => [
        name,
        '{{.x}}',
      ]),
    )
    expect(problemOf('apns', { headers: open, isOpen })).toBeUndefined()
  })
})

describe('headers of Web Push', () => {
  const topic = 'must be 1 to 32 letters, digits, - and _, and not 1, 5, 9 … 29 of them, which Apple refuses'

  it.each([
    [{ Topic: 'collie-updates' }],
    [{ Topic: 'x'.repeat(32) }],
    [{ topic: 'a_B-' }],
    [{ TTL: '0', Urgency: 'very-low' }],
    [{ TTL: '31536000' }],
    [{ 'Content-Type': 'application/notification+json' }],
    [{ Authorization: 'mine' }],
  ])('%j are accepted', (headers) => {
    expect(problemOf('webpush', { headers })).toBeUndefined()
  })

  it.each([
    [{ Topic: 'collie-update' }, `webpush.headers.Topic: ${topic}`],
    [{ Topic: 'a' }, `webpush.headers.Topic: ${topic}`],
    [{ Topic: 'x'.repeat(29) }, `webpush.headers.Topic: ${topic}`],
    [{ Topic: 'x'.repeat(33) }, `webpush.headers.Topic: ${topic}`],
    [{ Topic: 'a b' }, `webpush.headers.Topic: ${topic}`],
    [{ Topic: 'ab==' }, `webpush.headers.Topic: ${topic}`],
    [{ Topic: '' }, `webpush.headers.Topic: ${topic}`],
    [{ TTL: '1h' }, 'webpush.headers.TTL: must be a number of seconds'],
    [{ TTL: '-1' }, 'webpush.headers.TTL: must be a number of seconds'],
    [{ urgency: 'HIGH' }, 'webpush.headers.urgency: must be very-low, low, normal or high'],
  ])('%j are refused', (headers, problem) => {
    expect(problemOf('webpush', { headers })).toBe(problem)
  })
})

describe('a declarative message', () => {
  it.each([
    { web_push: 8030, notification: { title: 'a', navigate: 'https://a.b' } },
    { web_push: 8030, notification: { title: 'a', navigate: 'https://a.b', body: 'b' }, app_badge: 1, mutable: true },
    { web_push: 8031 },
    { web_push: '8030' },
    { title: 'a' },
  ])('%j may be sent', (payload) => {
    expect(problemOf('webpush', { json: JSON.stringify(payload) })).toBeUndefined()
  })

  it.each([
    ['notification', { web_push: 8030 }],
    ['notification', { web_push: 8030, notification: 'a' }],
    ['notification.title', { web_push: 8030, notification: { navigate: 'https://a.b' } }],
    ['notification.title', { web_push: 8030, notification: { title: '', navigate: 'https://a.b' } }],
    ['notification.navigate', { web_push: 8030, notification: { title: 'a' } }],
    ['notification.navigate', { web_push: 8030, notification: { title: 'a', navigate: 5 } }],
  ])('without %s is refused: %j', (field, payload) => {
    expect(problemOf('webpush', { json: JSON.stringify(payload) })).toBe(
      `webpush.payload.${field}: is missing, which a payload with web_push 8030 needs`,
    )
  })
})

describe('the size of a notification', () => {
  const data = (bytes: number) => `{"data":{"k":"${'x'.repeat(bytes - 1)}"}}`
  const payload = (bytes: number) => `{"k":"${'x'.repeat(bytes - 8)}"}`
  const hms = (bytes: number) => `{"data":"${'x'.repeat(bytes - 11)}"}`
  const VOIP = { 'apns-push-type': 'voip' }

  it.each([
    ['fcm', 'token', 4096, data, {}],
    ['fcm', 'condition', 4096, data, {}],
    ['fcm', 'topic', 2048, data, {}],
    ['hms', 'token', 4096, hms, {}],
    ['apns', 'token', 4096, payload, {}],
    ['apns', 'token', 4096, payload, { 'apns-push-type': 'liveactivity' }],
    ['apns', 'token', 5120, payload, VOIP],
    ['apns', 'token', 5120, payload, { 'apns-topic': 'com.example.app.voip' }],
    ['webpush', 'token', 3993, payload, {}],
  ] as const)('for %s to a %s is at most %d bytes', (provider, targetKind, limit, make, headers) => {
    expect(problemOf(provider, { json: make(limit), targetKind, headers })).toBeUndefined()
    expect(problemOf(provider, { json: make(limit + 1), targetKind, headers })).toMatch(
      new RegExp(`^${provider}\\.(message|payload): has ${limit + 1} bytes, and ${provider} accepts ${limit}$`),
    )
  })

  it('is not known for a template', () => {
    expect(problemOf('apns', { json: payload(5000), isOpen })).toBeUndefined()
  })

  it('of an FCM message is that of the smallest platform, without white space and overridden members', () => {
    const long = 'x'.repeat(3000)
    const each = {
      data: { a: long },
      notification: { title: 'b', body: long },
      android: { data: { a: 'b' }, notification: { body: 'short' } },
    }
    expect(problemOf('fcm', { json: JSON.stringify(each, null, 8) })).toBeUndefined()
    expect(problemOf('fcm', { json: JSON.stringify({ ...each, android: {} }) })).toMatch(/has 60\d\d bytes/)
  })

  it('is measured at every depth that a request may have', () => {
    const deep = `${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}`
    expect(
      problemOf('fcm', { json: `{"apns":{"payload":${deep}},"webpush":{"notification":${deep}}}` }),
    ).toBeUndefined()
    expect(problemOf('fcm', { json: `{"data":{"k":"${'x'.repeat(4096)}"},"apns":{"payload":${deep}}}` })).toMatch(
      /4097 bytes/,
    )
    expect(problemOf('hms', { json: `{"android":${deep}}` })).toMatch(/54\d\d\d bytes/)
    expect(problemOf('apns', { json: deep })).toMatch(/54001 bytes/)
  })

  it('counts bytes of UTF-8, also of escapes', () => {
    expect(problemOf('fcm', { json: `{"data":{"k":"${'ü'.repeat(2048)}"}}` })).toMatch(/has 4097 bytes/)
    expect(problemOf('fcm', { json: `{"data":{"k":"${'\\u00fc'.repeat(2047)}x"}}` })).toBeUndefined()
  })
})

describe('a message for HMS', () => {
  it.each([
    '{"data":"{\\"a\\":1}"}',
    '{"notification":{"title":"a","body":"b"},"android":null}',
    '{"android":{"ttl":"86400s","urgency":"HIGH","collapse_key":-1,"fast_app_target":2}}',
    '{"android":{"ttl":"86400","urgency":"normal","collapse_key":"100"}}',
    '{"android":{"ttl":86400,"collapse_key":0}}',
    '{"android":{"ttl":"1.5S","urgency":""}}',
    '{"android":{"notification":{"title":"a","click_action":{"type":1,"intent":"#Intent;end"}}}}',
    '{"android":{"notification":{"click_action":{"type":1,"action":"com.example.OPEN"}}}}',
    '{"android":{"notification":{"click_action":{"type":2,"url":"https://a.b"},"color":"#00fF00"}}}',
    '{"android":{"notification":{"click_action":{"type":3},"importance":"LOW","unknown":1}}}',
  ])('%s may be sent', (json) => {
    expect(problemOf('hms', { json })).toBeUndefined()
  })

  it.each([
    ['data: must be a string', '{"data":{"a":1}}'],
    ['data: must be a string', '{"data":5}'],
    ['android: must be an object', '{"android":"a"}'],
    ['message: is no field of a message', '{"validate_only":false,"message":{"data":"a"}}'],
    ['android.ttl: must be a duration in seconds such as "86400s"', '{"android":{"ttl":"1h"}}'],
    ['android.ttl: must be a duration in seconds such as "86400s"', '{"android":{"ttl":"-1s"}}'],
    ['android.ttl: must be a duration in seconds such as "86400s"', '{"android":{"ttl":true}}'],
    ['android.urgency: must be HIGH or NORMAL', '{"android":{"urgency":"urgent"}}'],
    ['android.collapse_key: must be a whole number from -1 to 100', '{"android":{"collapse_key":101}}'],
    ['android.collapse_key: must be a whole number from -1 to 100', '{"android":{"collapse_key":"news"}}'],
    ['android.fast_app_target: must be 1 or 2', '{"android":{"fast_app_target":3}}'],
    ['android.notification.color: must be a color such as "#RRGGBB"', '{"android":{"notification":{"color":"red"}}}'],
    [
      'android.notification.importance: must be LOW, NORMAL or HIGH',
      '{"android":{"notification":{"importance":"MAX"}}}',
    ],
    ['android.notification.click_action: must be an object', '{"android":{"notification":{"click_action":1}}}'],
    [
      'android.notification.click_action.type: must be 1, 2, 3 or 4',
      '{"android":{"notification":{"click_action":{"type":9}}}}',
    ],
    [
      'android.notification.click_action: of type 1 needs intent or action',
      '{"android":{"notification":{"click_action":{"type":1}}}}',
    ],
    [
      'android.notification.click_action: of type 2 needs url',
      '{"android":{"notification":{"click_action":{"type":"2","url":""}}}}',
    ],
  ])('is refused with "%s"', (problem, json) => {
    expect(problemOf('hms', { json })).toBe(`hms.message.${problem}`)
  })

  it('is checked as far as it is known when it is a template', () => {
    const open = '{"android":{"ttl":"{{.x}}","urgency":"{{.x}}","notification":{"color":"{{.x}}"}}}'
    expect(problemOf('hms', { json: open, isOpen })).toBeUndefined()
    expect(problemOf('hms', { json: '{"android":{"ttl":"1h"}}', isOpen })).toMatch(/ttl: must be/)
  })
})
