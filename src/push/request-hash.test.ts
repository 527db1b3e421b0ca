import { expect, test } from 'vitest'
import { decodeMessage } from '../protocol/decode-message.ts'
import { SendPushNotificationRequest } from '../protocol/requests/push.ts'
import { hashRequest } from './request-hash.ts'

function hashOf(body: string): string {
  return hashRequest(decodeMessage(SendPushNotificationRequest, Buffer.from(body))).toString('hex')
}

const REQUEST =
  '{"uid":"u","recipient":{"filter":{"topics":["a","b"]}},' +
  '"notification":{"apns":{"headers":{"x":"1","y":"2"},"payload":{"n":1.0}}}}'

test.each([
  ['white space', REQUEST.replaceAll(':', ' :\n')],
  ['spelled-out zero values', REQUEST.replace('{"uid"', '{"send_at":0,"use_meta":false,"localizations":null,"uid"')],
  [
    'the order of fields',
    '{"notification":{"apns":{"payload":{"n":1.0},"headers":{"y":"2","x":"1"}}},' +
      '"recipient":{"filter":{"topics":["a","b"]}},"uid":"u"}',
  ],
  ['the case of field names', REQUEST.replace('"recipient"', '"RECIPIENT"')],
  ['unknown fields', REQUEST.replace('{"uid"', '{"nothing":[1],"uid"')],
])('the hash does not depend on %s', (_, body) => {
  expect(hashOf(body)).toBe(hashOf(REQUEST))
})

test.each([
  ['another topic', REQUEST.replace('"b"', '"c"')],
  ['topics that are joined', REQUEST.replace('["a","b"]', '["ab"]')],
  ['a number written differently in the payload', REQUEST.replace('1.0', '1')],
  ['white space inside a string of the payload', REQUEST.replace('"n"', '"n "')],
  ['exchanged values of headers', REQUEST.replace('{"x":"1","y":"2"}', '{"x":"2","y":"1"}')],
  ['another time', REQUEST.replace('{"uid"', '{"send_at":5,"uid"')],
])('differs for %s', (_, body) => {
  expect(hashOf(body)).not.toBe(hashOf(REQUEST))
})

test('the hash of a request stays as earlier versions have stored it', () => {
  const all =
    '{"uid":"u\\ud83d\\ude00é","send_at":5,"recipient":{"filter":{"topics":["a","b"]}},' +
    '"localizations":{"de":{"translations":{"b":"ü","a":"x"}}},' +
    '"notification":{"apns":{"headers":{"x":"1","y":"2"},"payload":{"n": 1.0, "t":"a b"}},' +
    '"fcm":{"message":{"data":{"k":"v"}}}},"use_templating":true,' +
    '"limit_strategy":{"rate_limit":{"key":"k","policies":[{"rate":1,"interval_ms":1000}]}}}'
  expect(hashOf(all)).toBe('1fb1b3a87de7d1fa9bdaf479ca188eac209e42a546919a429bf266add6af7d08')
})
