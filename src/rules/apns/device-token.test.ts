import { expect, test } from 'vitest'
import { canonicalizeDeviceToken } from './device-token.ts'

const HEX = '1e2122ba4ccabb8e7a34072cc71cf262470b35cde03f7ee8d78acdf08159e5a9'
const GROUPS = '1e2122ba 4ccabb8e 7a34072c c71cf262 470b35cd e03f7ee8 d78acdf0 8159e5a9'
const PAIRS = HEX.match(/../g) ?? []
const BYTES = Buffer.from(HEX, 'hex')
const LONG = Buffer.alloc(80, 0xa7)

test.each([
  ['lower-case hexadecimal', HEX],
  ['upper-case hexadecimal', HEX.toUpperCase()],
  ['both cases', HEX.replaceAll('a', 'A')],
  ['NSData before iOS 13', `<${GROUPS}>`],
  ['groups without brackets', GROUPS],
  ['NSData since iOS 13', `{length = 32, bytes = 0x${GROUPS}}`],
  ['base64', BYTES.toString('base64')],
  ['base64 without padding', BYTES.toString('base64').replace('=', '')],
  ['base64url', BYTES.toString('base64url')],
  ['bytes with hyphens, as .NET prints them', PAIRS.join('-').toUpperCase()],
  ['bytes with colons', PAIRS.join(':')],
  ['bytes with blanks', PAIRS.join(' ')],
  ['lines', `${HEX.slice(0, 32)}\n${HEX.slice(32)}\n`],
  ['base64 of the hexadecimal text', Buffer.from(HEX).toString('base64')],
])('a device token in %s has one spelling', (_, text) => {
  expect(canonicalizeDeviceToken(text)).toBe(HEX)
})

test('a token of a Live Activity may be longer', () => {
  expect(canonicalizeDeviceToken(LONG.toString('hex').toUpperCase())).toBe(LONG.toString('hex'))
  expect(canonicalizeDeviceToken(LONG.toString('base64'))).toBe(LONG.toString('hex'))
})

test.each([
  ['nothing', ''],
  ['a word', 'unregistered-1'],
  ['too few bytes', '<1e2122ba 4ccabb8e 7a34072c>'],
  ['an odd number of digits', HEX.slice(1)],
  // As base64 the last digit would leave no bits over.
  ['an odd number of digits that could be base64', `${HEX.slice(0, 62)}4`],
  ['too few bytes with hyphens', PAIRS.slice(1).join('-')],
  ['a separator at the end', `${PAIRS.join('-')}-`],
  ['base64 of a short hexadecimal text', Buffer.from(HEX.slice(0, 48)).toString('base64')],
  ['bytes as a JSON list', JSON.stringify([...BYTES])],
  ['a Buffer of Node as JSON', JSON.stringify(BYTES)],
  ['the word that an app sends for nothing', '(null)'],
  ['a token in quotes', `"${HEX}"`],
  ['a shortened description', '{length = 32, bytes = 0x1e2122ba 4ccabb8e ... d78acdf0 8159e5a9 }'],
  ['a registration token of FCM', `${'d'.repeat(22)}:APA91b${'x'.repeat(134)}`],
  ['an installation id of Firebase', `c${'x'.repeat(21)}`],
  ['a UUID', '550e8400-e29b-41d4-a716-446655440000'],
  ['a token of Expo', 'ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]'],
  ['a prefix', `0x${HEX}`],
  ['a web push subscription', '{"endpoint":"https://web.push.apple.com/x"}'],
  ['base64 of more than any token has', Buffer.alloc(101).toString('base64')],
  ['other letters', 'ü'.repeat(64)],
])('%s is no device token', (_, text) => {
  expect(canonicalizeDeviceToken(text)).toBeUndefined()
})
