import { expect, test } from 'vitest'
import { parseConfig } from '../../src/config/load.ts'
import { makeEndpointCheck } from '../../src/devices/web-push-endpoint.ts'

/** The check of a server with these options. */
function checkOf(webpush: Record<string, unknown> = {}) {
  return makeEndpointCheck(parseConfig({ push_notifications: { webpush } }).push_notifications.webpush)
}

const anyOrigin = checkOf({ allowed_endpoint_origins: ['*'] })

test.each([
  'https://fcm.googleapis.com/fcm/send/x:y',
  'https://FCM.googleapis.com/x',
  'https://updates.push.services.mozilla.com/wpush/v2/x',
  'https://web.push.apple.com/x',
  'https://db5p.notify.windows.com/w/?token=x',
  'https://fcm.googleapis.com:443/x',
])('%s is allowed by default', (endpoint) => {
  expect(checkOf()(endpoint)).toBeUndefined()
})

test.each([
  ['https://push.example.com/x', 'not of an allowed origin'],
  ['https://fcm.googleapis.com.example.com/x', 'not of an allowed origin'],
  ['https://examplegoogleapis.com/x', 'not of an allowed origin'],
  ['https://example.com/https://fcm.googleapis.com', 'not of an allowed origin'],
  ['https://example.com\\.googleapis.com', 'not of an allowed origin'],
  ['https://example.com#.googleapis.com', 'not of an allowed origin'],
  ['https://fcm.googleapis.com:22/x', 'not of an allowed origin'],
  ['https://fcm.googleapis.com./x', 'not of an allowed origin'],
  ['https://fcm.googleapis.com@example.com/x', 'a URL with a user or a password'],
  ['http://fcm.googleapis.com/x', 'not https'],
])('%s is refused: %s', (endpoint, why) => {
  expect(checkOf()(endpoint)).toMatch(why)
})

test.each([
  '127.0.0.1',
  '127.0.0.1.',
  '127.1',
  '2130706433',
  '0x7f.0.0.1',
  '0x7F000001',
  '017700000001',
  '0177.0.0.1',
  '0',
  '0.0.0.0',
  '10.0.0.1',
  '169.254.169.254',
  '8.8.8.8',
  '１２７.０.０.１',
  '①②⑦.0.0.1',
  '127。0。0。1',
  '%31%32%37.0.0.1',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '[fd00::1]',
  '[2606:4700::1111]',
])('an address is refused, even if any origin is allowed: %s', (host) => {
  expect(anyOrigin(`https://${host}/x`)).toBe('an IP address instead of a domain name')
  expect(anyOrigin(`https://${host}:8443/x`)).toBe('an IP address instead of a domain name')
})

test('* allows any https origin, but no URL with a user', () => {
  expect(anyOrigin('https://push.example.com:8443/x')).toBeUndefined()
  expect(anyOrigin('http://push.example.com/x')).toBe('not https')
  expect(anyOrigin('https://me@push.example.com/x')).toBe('a URL with a user or a password')
  expect(anyOrigin('https://:secret@push.example.com/x')).toBe('a URL with a user or a password')
  expect(anyOrigin('push.example.com')).toBe('not a URL')
  expect(anyOrigin(`https://${'a.'.repeat(200)}com/x`)).toBe('not a domain name')
})

test('allowed_endpoint_origins replaces the built-in list', () => {
  const check = checkOf({ allowed_endpoint_origins: ['https://push.example.com'] })
  expect(check('https://push.example.com/x')).toBeUndefined()
  expect(check('https://fcm.googleapis.com/x')).toMatch('not of an allowed origin')
})

test('extra_allowed_endpoint_origins adds to the built-in list and to a configured one', () => {
  const extra_allowed_endpoint_origins = ['https://push.example.com']
  expect(checkOf({ extra_allowed_endpoint_origins })('https://push.example.com/x')).toBeUndefined()
  expect(checkOf({ extra_allowed_endpoint_origins })('https://fcm.googleapis.com/x')).toBeUndefined()
  const check = checkOf({ allowed_endpoint_origins: ['https://a.example.com'], extra_allowed_endpoint_origins })
  expect(check('https://a.example.com/x')).toBeUndefined()
  expect(check('https://push.example.com/x')).toBeUndefined()
})

test('a port other than 443 must be in the pattern', () => {
  const check = checkOf({
    allowed_endpoint_origins: ['https://push.*', 'https://{a,b}.example.com:8443', 'https://c:*'],
  })
  expect(check('https://push.example.com/x')).toBeUndefined()
  expect(check('https://push.example.com:22/x')).toMatch('not of an allowed origin')
  expect(check('https://b.example.com:8443/x')).toBeUndefined()
  expect(check('https://b.example.com/x')).toMatch('not of an allowed origin')
  expect(check('https://c:22/x')).toBeUndefined()
})

test('a server with a malformed pattern does not start', () => {
  expect(() => checkOf({ allowed_endpoint_origins: ['https://{a'] })).toThrow(
    'push_notifications.webpush.allowed_endpoint_origins.0: expected a pattern of origins',
  )
})

test('the problem names the origin to allow, and no more of the endpoint', () => {
  expect(checkOf()('https://jmt17.google.com/fcm/send/a-secret')).toBe(
    'not of an allowed origin: push_notifications.webpush.extra_allowed_endpoint_origins can allow https://jmt17.google.com',
  )
})
