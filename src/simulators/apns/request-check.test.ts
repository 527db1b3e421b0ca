import { expect, it } from 'vitest'
import { refuseRequest } from './request-check.ts'

const BUNDLE = 'com.example.app'
const GOOD = { 'apns-topic': BUNDLE, 'apns-push-type': 'alert' }
const PAYLOAD = '{"aps":{"alert":"hi"}}'

it.each([
  ['only topic and push type', {}, PAYLOAD, undefined],
  [
    'all headers',
    { 'apns-id': 'b7e3b3a0-7ac1-4d2b-9d7e-0a4b1f6f8f5e', 'apns-expiration': '0', 'apns-priority': '1' },
    PAYLOAD,
    undefined,
  ],
  ['no topic', { 'apns-topic': undefined }, PAYLOAD, 'MissingTopic'],
  ['another app’s topic', { 'apns-topic': 'com.other' }, PAYLOAD, 'TopicDisallowed'],
  ['a topic that continues the bundle id', { 'apns-topic': `${BUNDLE}ish` }, PAYLOAD, 'TopicDisallowed'],
  ['a topic of another push type', { 'apns-topic': `${BUNDLE}.voip` }, PAYLOAD, 'BadTopic'],
  ['a push type without its topic', { 'apns-push-type': 'liveactivity' }, PAYLOAD, 'BadTopic'],
  ['no push type', { 'apns-push-type': undefined }, PAYLOAD, 'InvalidPushType'],
  ['an unknown push type', { 'apns-push-type': 'toString' }, PAYLOAD, 'InvalidPushType'],
  ['an id in upper case', { 'apns-id': 'B7E3B3A0-7AC1-4D2B-9D7E-0A4B1F6F8F5E' }, PAYLOAD, 'BadMessageId'],
  ['an expiration that is a date', { 'apns-expiration': 'tomorrow' }, PAYLOAD, 'BadExpirationDate'],
  ['a priority of 7', { 'apns-priority': '7' }, PAYLOAD, 'BadPriority'],
  ['a background push of priority 10', { 'apns-push-type': 'background' }, PAYLOAD, 'BadPriority'],
  ['a background push of priority 5', { 'apns-push-type': 'background', 'apns-priority': '5' }, PAYLOAD, undefined],
  ['a collapse id of 64 bytes', { 'apns-collapse-id': 'x'.repeat(64) }, PAYLOAD, undefined],
  ['a collapse id of 65 bytes', { 'apns-collapse-id': 'x'.repeat(65) }, PAYLOAD, 'BadCollapseId'],
  ['a duplicate header', { 'apns-priority': '10, 5' }, PAYLOAD, 'DuplicateHeaders'],
  ['no payload', {}, '', 'PayloadEmpty'],
  ['a payload that is not an object', {}, '[]', 'PayloadEmpty'],
  ['4,096 bytes', {}, `{"a":"${'x'.repeat(4088)}"}`, undefined],
  ['4,097 bytes', {}, `{"a":"${'x'.repeat(4089)}"}`, 'PayloadTooLarge'],
])('a request with %s', (_what, change, payload, expected) => {
  const headers: Record<string, string> = { ...GOOD }
  for (const [name, value] of Object.entries(change)) {
    if (value === undefined) delete headers[name]
    else headers[name] = value
  }
  expect(refuseRequest(headers, Buffer.from(payload), BUNDLE)).toBe(expected)
})
