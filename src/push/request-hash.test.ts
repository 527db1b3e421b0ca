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
