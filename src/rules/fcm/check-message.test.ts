import { describe, expect, it } from 'vitest'
import { describeProblem } from '../problem.ts'
import { findMessageProblem } from './check-message.ts'

function problemOf(message: object | string, isOpen?: (text: string) => boolean): string | undefined {
  const problem = findMessageProblem(
    Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)),
    isOpen,
  )
  return problem && describeProblem('message', problem)
}

describe('a message for FCM', () => {
  it.each([
    ['nothing', {}],
    ['a notification', { notification: { title: 'a', body: 'b', image: 'https://a.b/c.png' } }],
    ['data', { data: { id: '21465', empty: '', collapse_key: 'x', googleId: 'a', fromage: 'brie' } }],
    [
      'snake case',
      { android: { collapse_key: 'a', direct_boot_ok: true }, fcm_options: { analytics_label: 'a-b_c.~%' } },
    ],
    ['camel case', { android: { collapseKey: 'a', directBootOk: false }, fcmOptions: { analyticsLabel: 'a' } }],
    ['members that are null', { notification: null, android: { ttl: null, notification: null } }],
    ['an enum in lower case', { android: { priority: 'high', notification: { visibility: 'private' } } }],
    [
      'an enum in upper case',
      { android: { priority: 'NORMAL', notification: { notification_priority: 'PRIORITY_MAX' } } },
    ],
    ['an enum by its number', { android: { priority: 1, notification: { proxy: 3 } } }],
    ['scalars as texts', { android: { direct_boot_ok: 'true', notification: { notification_count: '5' } } }],
    ['newer options', { android: { bandwidth_constrained_ok: true, restricted_satellite_ok: true } }],
    ['a live activity', { apns: { live_activity_token: 'ab', payload: { aps: { event: 'start' } } } }],
    [
      'any payload of APNs',
      { apns: { headers: { 'apns-priority': '5' }, payload: { aps: { badge: 1 }, a: [1, null] } } },
    ],
    [
      'any notification of Web Push',
      { webpush: { headers: { TTL: '15' }, notification: { vibrate: [1], data: { a: 1 } } } },
    ],
    ['a link', { webpush: { fcm_options: { link: 'https://a.b' } } }],
    [
      'light',
      { android: { notification: { light_settings: { color: { red: 0.5, alpha: '1' }, light_on_duration: '1.5s' } } } },
    ],
    ['an event time', { android: { notification: { event_time: '2026-10-02T15:01:23.045123456Z' } } }],
    ['an event time with an offset', { android: { notification: { event_time: '2026-10-02T15:01:23+02:00' } } }],
    ['vibrations', { android: { notification: { vibrate_timings: ['1s', '0.5s', '0s'] } } }],
    ['a target of its own, which is replaced', { token: 5, topic: {}, fid: null, condition: 'a' }],
    ['white space', ' { "data" : { "a" : "b" } } '],
  ])('may contain %s', (_, message) => {
    expect(problemOf(message)).toBeUndefined()
  })

  it.each([
    ['message.data.id: must be a string', { data: { id: 21_465 } }],
    ['message.data.id: must be a string', { data: { id: true } }],
    ['message.data.id: must be a string', { data: { id: null } }],
    ['message.data.id: must be a string', { data: { id: { nested: 'a' } } }],
    ['message.data.id: must be a string', '{"data":{"id":"1","id":2}}'],
    ['message.__proto__: is no field of FCM here', '{"__proto__":{}}'],
    ['message.data: must be an object of strings', { data: 'a' }],
    ['message.data: must be an object of strings', { data: [] }],
    ['message.data.from: is a key that FCM reserves', { data: { from: 'x' } }],
    ['message.data.message_type: is a key that FCM reserves', { data: { message_type: 'x' } }],
    ['message.data.gcm: is a key that FCM reserves', { data: { gcm: 'x' } }],
    ['message.data.google.a: is a key that FCM reserves', { data: { 'google.a': 'x' } }],
    ['message.data.gcm.notification.e: is a key that FCM reserves', { data: { 'gcm.notification.e': '1' } }],
    ['message.android.data.from: is a key that FCM reserves', { android: { data: { from: 'x' } } }],
    ['message.notification.sound: is no field of FCM here', { notification: { title: 'a', sound: 'default' } }],
    ['message.message: is no field of FCM here', { message: { notification: { title: 'a' } } }],
    ['message.to: is no field of FCM here', { to: '/topics/x' }],
    ['message.priority: is no field of FCM here', { priority: 'high' }],
    ['message.apns.aps: is no field of FCM here', { apns: { aps: { alert: 'a' } } }],
    ['message.(a key): is no field of FCM here', { 'a key with blanks': 1 }],
    ['message.notification.title: must be a string', { notification: { title: 5 } }],
    ['message.notification: must be an object', { notification: 'Hello' }],
    ['message.webpush.headers.TTL: must be a string', { webpush: { headers: { TTL: 15 } } }],
    ['message.apns.headers.apns-priority: must be a string', { apns: { headers: { 'apns-priority': 10 } } }],
    ['message.apns.payload: must be an object', { apns: { payload: 'a' } }],
    ['message.android.priority: must be one of NORMAL, HIGH', { android: { priority: 'urgent' } }],
    ['message.android.priority: must be one of NORMAL, HIGH', { android: { priority: 2 } }],
    ['message.android.direct_boot_ok: must be true or false', { android: { direct_boot_ok: 1 } }],
    [
      'message.android.notification.body_loc_args: must be a list',
      { android: { notification: { body_loc_args: 'a' } } },
    ],
    [
      'message.android.notification.body_loc_args.1: must be a string',
      { android: { notification: { body_loc_args: ['a', 5] } } },
    ],
    [
      'message.android.notification.notification_count: must be a 32-bit integer',
      { android: { notification: { notification_count: 1.5 } } },
    ],
    [
      'message.android.notification.notification_count: must be a 32-bit integer',
      { android: { notification: { notification_count: 2 ** 31 } } },
    ],
    [
      'message.android.notification.color: must be a color such as "#rrggbb"',
      { android: { notification: { color: 'red' } } },
    ],
    [
      'message.webpush.fcm_options.link: must be a URL that starts with https://',
      { webpush: { fcm_options: { link: 'http://a.b' } } },
    ],
    [
      'message.fcm_options.analytics_label: must be 1 to 50 letters, digits or -_.~%',
      { fcm_options: { analytics_label: 'x'.repeat(51) } },
    ],
  ])('is refused with "%s"', (problem, message) => {
    expect(problemOf(message)).toBe(problem)
  })

  it.each(['0s', '3600s', '3.5s', '2419200s', '1.123456789s'])('may have the ttl %s', (ttl) => {
    expect(problemOf({ android: { ttl } })).toBeUndefined()
  })

  it.each([
    3600,
    '',
    '4500',
    '86400',
    'PT1H',
    '1 s',
    '1e3s',
    { seconds: '5' },
    '3600S',
    '1h',
    '-1s',
    '2419201s',
    '1.1234567890s',
    's',
    ' 1s',
    true,
    {},
  ])('must not have the ttl %j', (ttl) => {
    expect(problemOf({ android: { ttl } })).toMatch(/^message\.android\.ttl: must be a duration/)
  })

  it('is checked as far as it is known when it is a template', () => {
    const isOpen = (text: string) => text.includes('{{')
    const open = '{{.device.meta.x}}'
    const android = { ttl: open, priority: open, direct_boot_ok: open, notification: { color: open, event_time: open } }
    expect(problemOf({ data: { [open]: open }, android, [open]: 1 }, isOpen)).toBeUndefined()
    expect(problemOf({ data: { a: 1, b: open } }, isOpen)).toBe('message.data.a: must be a string')
    expect(problemOf({ notification: { sound: open } }, isOpen)).toBe(
      'message.notification.sound: is no field of FCM here',
    )
  })
})
