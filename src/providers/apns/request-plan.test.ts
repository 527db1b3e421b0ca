import { describe, expect, it } from 'vitest'
import { fc } from '../../../tests/support/fast-check.ts'
import { makeCollapseId, makeNotificationId } from './notification-id.ts'
import { planRequests } from './request-plan.ts'

const BUNDLE = 'com.example.app'

function plan(payload: object | string, headers: Record<string, string> = {}) {
  const json = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload))
  return planRequests('a-uid', { json, headers: new Map(Object.entries(headers)) }, BUNDLE)
}

function headersOf(payload: object | string, headers: Record<string, string> = {}) {
  const planned = plan(payload, headers)
  if ('problem' in planned) throw new Error(planned.problem)
  return planned.headers
}

describe('the headers of an APNs request', () => {
  it.each([
    ['an alert', { aps: { alert: 'hi' } }, 'alert', ''],
    ['a badge', { aps: { badge: 0 } }, 'alert', ''],
    ['a sound', { aps: { sound: 'default', 'content-available': 1 } }, 'alert', ''],
    ['an alert that also wakes the app', { aps: { alert: 'hi', 'content-available': 1 } }, 'alert', ''],
    ['no member of Apple', { a: 1 }, 'alert', ''],
    ['an aps that is not an object', { aps: 7 }, 'alert', ''],
    ['a background update', { aps: { 'content-available': 1 } }, 'background', ''],
    [
      'an update of a live activity',
      { aps: { event: 'update', timestamp: 1, 'content-state': {}, alert: { title: 'a' } } },
      'liveactivity',
      '.push-type.liveactivity',
    ],
    ['the end of a live activity', { aps: { event: 'end', timestamp: 1 } }, 'liveactivity', '.push-type.liveactivity'],
    ['a reload of widgets', { aps: { 'content-changed': true } }, 'widgets', '.push-type.widgets'],
    ['a command of device management', { mdm: 'token' }, 'mdm', ''],
  ])('contain the push type of %s', (_what, payload, pushType, suffix) => {
    expect(headersOf(payload)).toMatchObject({ 'apns-push-type': pushType, 'apns-topic': BUNDLE + suffix })
  })

  it.each([
    ['voip', '.voip'],
    ['complication', '.complication'],
    ['fileprovider', '.pushkit.fileprovider'],
    ['location', '.location-query'],
    ['pushtotalk', '.voip-ptt'],
    ['liveactivity', '.push-type.liveactivity'],
    ['widgets', '.push-type.widgets'],
    ['controls', '.push-type.controls'],
  ])('have for the push type %s the topic with %s, and vice versa', (pushType, suffix) => {
    const topic = `${BUNDLE}${suffix}`
    expect(headersOf({ aps: {} }, { 'apns-push-type': pushType })['apns-topic']).toBe(topic)
    expect(headersOf({ aps: {} }, { 'apns-topic': topic })['apns-push-type']).toBe(pushType)
  })

  it('of the caller replace those derived from the payload', () => {
    const given = {
      'apns-topic': 'com.other.app',
      'apns-push-type': 'alert',
      'apns-priority': '1',
      'apns-expiration': '0',
      'apns-collapse-id': 'mine',
      'apns-id': '6b3ba3e0-7ac1-4d2b-9d7e-0a4b1f6f8f5e',
      'apns-channel-id': 'x',
    }
    expect(headersOf({ aps: { 'content-available': 1 } }, given)).toEqual({
      'content-type': 'application/json',
      ...given,
    })
  })

  it('have names in any case, and are left out if they are empty', () => {
    const headers = headersOf({ aps: { alert: 'a' } }, { 'Apns-Topic': 'com.other.app', 'APNS-PRIORITY': '' })
    expect(headers).toMatchObject({ 'apns-topic': 'com.other.app' })
    expect(headers).not.toHaveProperty('Apns-Topic')
    expect(headers).not.toHaveProperty('apns-priority')
  })

  it('give a background push the priority that APNs requires', () => {
    expect(headersOf({ aps: { 'content-available': 1 } })['apns-priority']).toBe('5')
    expect(headersOf({ aps: { alert: 'a' } })).not.toHaveProperty('apns-priority')
  })

  it('collapse the attempts of a notification on the device, but not updates of other types', () => {
    expect(headersOf({ aps: { alert: 'a' } })['apns-collapse-id']).toBe(makeCollapseId('a-uid'))
    for (const pushType of ['voip', 'liveactivity', 'pushtotalk', 'location']) {
      expect(headersOf({ aps: {} }, { 'apns-push-type': pushType })).not.toHaveProperty('apns-collapse-id')
    }
  })

  it.each(['Authorization', 'host', 'connection', 'transfer-encoding', 'content-length', 'te', 'x-apns'])(
    'of the caller must not include %s',
    (name) => {
      expect(plan({ aps: {} }, { [name]: 'x' })).toEqual({ problem: 'header_not_allowed' })
    },
  )
})

describe('the payload of an APNs request', () => {
  it.each([
    ['alert', 4096],
    ['background', 4096],
    ['liveactivity', 4096],
    ['voip', 5120],
  ])('of the push type %s has %d bytes at most', (pushType, limit) => {
    const fill = (bytes: number) => `{"a":"${'ü'.repeat((bytes - 8) / 2)}"}`
    expect(plan(fill(limit), { 'apns-push-type': pushType })).toHaveProperty('headers')
    expect(plan(`${fill(limit)} `, { 'apns-push-type': pushType })).toEqual({ problem: 'PayloadTooLarge' })
  })
})

describe('the id of a notification', () => {
  const anyText = fc.string({ minLength: 1, maxLength: 200 })

  it('is a canonical UUID of version 5, the same each time', () => {
    void fc.assert(
      fc.property(anyText, anyText, (uid, token) => {
        const id = makeNotificationId(uid, token)
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
        expect(makeNotificationId(uid, token)).toBe(id)
      }),
    )
  })

  it('differs by send and by device', () => {
    const ids = ['u', 'v', ''].flatMap((uid) => ['a', 'b', 'ua'].map((token) => makeNotificationId(uid, token)))
    expect(new Set(ids).size).toBe(ids.length)
  })
})

describe('the collapse id of a send', () => {
  it('fits APNs’ 64 bytes whatever the uid is', () => {
    void fc.assert(
      fc.property(fc.string({ maxLength: 256 }), (uid) => {
        expect(makeCollapseId(uid)).toMatch(/^[\w-]{1,64}$/)
      }),
    )
  })
})
