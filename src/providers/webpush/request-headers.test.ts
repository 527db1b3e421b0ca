import { describe, expect, it } from 'vitest'
import { makeRequestHeaders, wnsHeaders } from './request-headers.ts'

function headersOf(given: Record<string, string>, uid = 'u'): unknown {
  return makeRequestHeaders(new Map(Object.entries(given)), uid)
}

describe('the headers of a Web Push request', () => {
  it('have defaults: four weeks, and a topic derived from the send', () => {
    expect(headersOf({})).toEqual({
      ttl: '2419200',
      topic: expect.stringMatching(/^[0-9a-f]{32}$/),
      'content-encoding': 'aes128gcm',
      'content-type': 'application/octet-stream',
    })
    expect(headersOf({}, 'a')).toEqual(headersOf({}, 'a'))
    expect(headersOf({}, 'a')).not.toEqual(headersOf({}, 'b'))
  })

  it('of the caller are used, with names in any case, if they are for push services', () => {
    expect(headersOf({ TTL: '0', urgency: 'high', Topic: 'a_B-90', Authorization: 'mine', Host: 'mine' })).toEqual({
      ttl: '0',
      topic: 'a_B-90',
      urgency: 'high',
      'content-encoding': 'aes128gcm',
      'content-type': 'application/octet-stream',
    })
  })

  it('have a topic that Apple accepts', () => {
    expect(headersOf({ Topic: 'collie-update' })).toMatchObject({ topic: 'collie-update_' })
    expect(headersOf({ Topic: 'collie-herd' })).toMatchObject({ topic: 'collie-herd' })
  })

  it.each([
    ['application/notification+json', 'application/notification+json'],
    ['application/notification+json; charset=utf-8', 'application/notification+json; charset=utf-8'],
    ['Application/Notification+JSON', 'Application/Notification+JSON'],
    ['application/json', 'application/octet-stream'],
    ['application/notification+jsonp', 'application/octet-stream'],
  ])('have the Content-Type %s of the caller as %s', (given, sent) => {
    expect(headersOf({ 'Content-Type': given })).toMatchObject({ 'content-type': sent })
  })

  it.each([
    ['TTL', '-1', 'INVALID_TTL'],
    ['TTL', '1.5', 'INVALID_TTL'],
    ['TTL', 'soon', 'INVALID_TTL'],
    ['TTL', '', 'INVALID_TTL'],
    ['TTL', '12345678901', 'INVALID_TTL'],
    ['Urgency', 'urgent', 'INVALID_URGENCY'],
    ['Urgency', 'HIGH', 'INVALID_URGENCY'],
    ['Topic', '', 'INVALID_TOPIC'],
    ['Topic', 'a b', 'INVALID_TOPIC'],
    ['Topic', 'a'.repeat(33), 'INVALID_TOPIC'],
    ['Topic', 'a'.repeat(34), 'INVALID_TOPIC'],
  ])('must not have %s: %s', (name, value, problem) => {
    expect(headersOf({ [name]: value })).toBe(problem)
  })

  it('have the cache policy for the Windows service only', () => {
    expect(wnsHeaders('https://db5p.notify.windows.com', '0')).toEqual({ 'x-wns-cache-policy': 'no-cache' })
    expect(wnsHeaders('https://db5p.notify.windows.com', '60')).toEqual({ 'x-wns-cache-policy': 'cache' })
    expect(wnsHeaders('https://notify.windows.com.example.com', '60')).toEqual({})
  })
})
