import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeEndpointCheck } from '../../src/devices/web-push-endpoint.ts'
import { decodeMessage } from '../../src/protocol/decode-message.ts'
import { ApiError } from '../../src/protocol/errors.ts'
import { SendPushNotificationRequest } from '../../src/protocol/requests/push.ts'
import { type AcceptDeps, acceptSend } from '../../src/push/accept.ts'
import { PageReader } from '../../src/push/page-reader.ts'
import { PostgresQueue } from '../../src/queue/postgres/postgres-queue.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { makeTestLogger } from '../support/run-log.ts'

let database: TestDatabase
let queue: PostgresQueue
let deps: AcceptDeps

beforeAll(async () => {
  database = await createTestDatabase()
  queue = new PostgresQueue({ sql: database.queueSql, logger: makeTestLogger(), leaseMs: 15_000, maxJobs: 1000 })
  deps = {
    queue,
    pages: new PageReader({
      devices: {
        pageTargets: async () => ({ groups: [], next: undefined }),
        findRanges: async () => ({ ends: [], hasMore: false }),
      },
      batchSizes: new Map([['fcm', 500]]),

      now: Date.now,
    }),
    hasDevices: true,
    providers: new Set(['fcm']),
    checkEndpoint: makeEndpointCheck({ allowed_endpoint_origins: [], extra_allowed_endpoint_origins: [] }),
    onScheduled: () => undefined,
  }
})
afterAll(async () => {
  await queue.close()
  await database.drop()
})

const FCM = '"notification":{"fcm":{"message":{}}}'
const TOKEN = '"recipient":{"fcm_tokens":["t"]}'
const DEVICE = 'ab'.repeat(32)

const FILTER = '"recipient":{"filter":{"topics":["a"]}}'
const HOURS = '"time_limit":{"send_after_time":"09:00:00","send_before_time":"10:00:00"}'

const HMS_TTL = '{"android":{"ttl":"1h"}}'

/** A notification for FCM and another provider, with headers for the other one. */
function withHeaders(provider: 'apns' | 'webpush', headers: Record<string, string>): string {
  const part = `"${provider}":{"payload":{},"headers":${JSON.stringify(headers)}}`
  return `"notification":{"fcm":{"message":{}},${part}}`
}

/** A notification for FCM with data of one more byte. */
function message(bytes: number): string {
  return `"notification":{"fcm":{"message":{"data":{"a":"${'b'.repeat(bytes)}"}}}}`
}

/** The members of an object with `count` keys. */
const entries = (count: number, value: string) => Array.from({ length: count }, (_, i) => `"k${i}":${value}`).join(',')
const translations = (count: number) => `{"translations":{${entries(count, '"text"')}}}`

const accept = (body: string) => acceptSend(deps, decodeMessage(SendPushNotificationRequest, Buffer.from(body)))

test.each([
  ['raw tokens', `{${TOKEN},${FCM}}`],
  ['a topic', `{"recipient":{"fcm_topic":"news"},${FCM}}`],
  ['a condition', `{"recipient":{"fcm_condition":"'a' in topics"},${FCM}}`],
  ['a topic with the prefix of the legacy API', `{"recipient":{"fcm_topic":"/topics/news"},${FCM}}`],
  ['the most data for a topic', `{"recipient":{"fcm_topic":"a"},${message(2047)}}`],
  ['a template that is too large as it is', `{${FILTER},${message(5000)},"use_templating":true}`],
  ['a filter', `{"recipient":{"filter":{"topics":["news"]}},${FCM}}`],
  ['a filter by the empty user', `{"recipient":{"filter":{"users":[""]}},${FCM}}`],
  ['2,000 locales', `{${FILTER},${FCM},"localizations":{${entries(2000, '{}')}}}`],
  ['100,000 translations', `{${FILTER},${FCM},"localizations":{${entries(10, translations(10_000))}}}`],
  ['all devices of a provider', `{"recipient":{"filter":{"providers":["fcm"]}},${FCM}}`],
  ['an empty list beside a recipient', `{"recipient":{"fcm_tokens":["t"],"hms_tokens":[]},${FCM}}`],
  ['templates', `{"recipient":{"filter":{"topics":["a"]}},${FCM},"use_templating":true}`],
  ['a rate limit without policies', `{${FILTER},${FCM},"limit_strategy":{"rate_limit":{}}}`],
  [
    'hours of the day and rates',
    `{${FILTER},${FCM},"limit_strategy":{"rate_limit":{"policies":[{"rate":1,"interval_ms":1000}]},${HOURS}}}`,
  ],
  ['headers of APNs', `{${TOKEN},${withHeaders('apns', { 'apns-priority': '5', 'APNS-Collapse-Id': 'a' })}}`],
  ['headers of Web Push', `{${TOKEN},${withHeaders('webpush', { TTL: '0', Urgency: 'low', Topic: 'ab' })}}`],
  [
    'a header that is rendered for each device',
    `{${FILTER},${withHeaders('webpush', { TTL: '{{.device.meta.ttl}}' })},"use_templating":true}`,
  ],
  ['a send_at in the past', `{${TOKEN},${FCM},"send_at":1}`],
])('accepts %s', async (_, body) => {
  await expect(accept(body)).resolves.toMatch(/^[0-9a-f-]{36}$/)
})

test('answers with the uid of the request', async () => {
  await expect(accept(`{"uid":"mine",${TOKEN},${FCM}}`)).resolves.toBe('mine')
})

test.each([
  ['no recipient', `{${FCM}}`],
  ['an empty recipient', `{"recipient":{},${FCM}}`],
  ['two recipients', `{"recipient":{"fcm_tokens":["t"],"fcm_topic":"news"},${FCM}}`],
  ['an empty filter', `{"recipient":{"filter":{}},${FCM}}`],
  ['an unknown provider in the filter', `{"recipient":{"filter":{"providers":["gcm"]}},${FCM}}`],
  ['an empty token', `{"recipient":{"fcm_tokens":[""]},${FCM}}`],
  ['a token with a line feed', `{"recipient":{"fcm_tokens":["a\\nb"]},${FCM}}`],
  ['a NUL in the filter', `{"recipient":{"filter":{"users":["a\\u0000"]}},${FCM}}`],
  ['a token too long', `{"recipient":{"fcm_tokens":["${'t'.repeat(4097)}"]},${FCM}}`],
  ['more than 100,000 tokens', `{"recipient":{"fcm_tokens":[${'"t",'.repeat(100_000)}"t"]},${FCM}}`],
  ['no notification', `{${TOKEN}}`],
  ['a notification without a provider', `{${TOKEN},"notification":{}}`],
  ['a notification for another provider than the recipient', `{${TOKEN},"notification":{"apns":{"payload":{}}}}`],
  ['a message that is no object', `{${TOKEN},"notification":{"fcm":{"message":"hello"}}}`],
  ['no message', `{${TOKEN},"notification":{"fcm":{}}}`],
  [
    'a message of more than 1 MiB',
    `{${TOKEN},"notification":{"fcm":{"message":{"data":{"a":"${'b'.repeat(1024 * 1024)}"}}}}}`,
  ],
  [
    'a header with a line break',
    `{"recipient":{"apns_tokens":["${DEVICE}"]},"notification":{"apns":{"headers":{"a":"b\\r\\nc: d"},"payload":{}}}}`,
  ],
  ['a credential for APNs', `{${TOKEN},${withHeaders('apns', { Authorization: 'bearer mine' })}}`],
  ['a header that APNs does not have', `{${TOKEN},${withHeaders('apns', { 'x-priority': '5' })}}`],
  ['a pseudo-header', `{${TOKEN},${withHeaders('apns', { ':path': '/3/device/mine' })}}`],
  ['an invalid TTL', `{${TOKEN},${withHeaders('webpush', { TTL: '1h' })}}`],
  ['an invalid urgency', `{${TOKEN},${withHeaders('webpush', { urgency: 'HIGH' })}}`],
  ['a topic that Apple refuses', `{${TOKEN},${withHeaders('webpush', { Topic: 'collie-update' })}}`],
  ['a number in the data of FCM', `{${TOKEN},"notification":{"fcm":{"message":{"data":{"id":21465}}}}}`],
  ['an unknown field of FCM', `{${TOKEN},"notification":{"fcm":{"message":{"notification":{"sound":"a"}}}}}`],
  [
    'a number in a template’s data',
    `{${FILTER},"notification":{"fcm":{"message":{"data":{"id":1}}}},"use_templating":true}`,
  ],
  ['a message too large for FCM', `{${TOKEN},"notification":{"fcm":{"message":{"data":{"a":"${'b'.repeat(4096)}"}}}}}`],
  ['a message too large for a topic', `{"recipient":{"fcm_topic":"a"},${message(2048)}}`],
  ['a collapse id too long', `{${TOKEN},${withHeaders('apns', { 'apns-collapse-id': 'x'.repeat(65) })}}`],
  ['a topic that FCM refuses', `{"recipient":{"fcm_topic":"new s"},${FCM}}`],
  ['a condition that FCM refuses', `{"recipient":{"fcm_condition":"a in topics"},${FCM}}`],
  ['a device token that APNs does not have', `{"recipient":{"apns_tokens":["t"]},${withHeaders('apns', {})}}`],
  ['an invalid topic', `{${TOKEN},${withHeaders('webpush', { Topic: 'a b' })}}`],
  [
    'an expression in a header without use_templating',
    `{${FILTER},${withHeaders('webpush', { TTL: '{{.device.meta.ttl}}' })}}`,
  ],
  ['a uid with braces', `{"uid":"{a}",${TOKEN},${FCM}}`],
  ['a uid with a control character', `{"uid":"a\\u0007",${TOKEN},${FCM}}`],
  ['a uid too long', `{"uid":"${'u'.repeat(257)}",${TOKEN},${FCM}}`],
  ['a negative send_at', `{${TOKEN},${FCM},"send_at":-1}`],
  ['a send_at beyond the range of dates', `{${TOKEN},${FCM},"send_at":9223372036854775807}`],
  [
    'an expire_at beyond the range of dates',
    `{${TOKEN},"notification":{"expire_at":9223372036854775807,"fcm":{"message":{}}}}`,
  ],
  [
    'an expire_at before its send_at',
    `{${TOKEN},"notification":{"expire_at":2000000000,"fcm":{"message":{}}},"send_at":2000000000}`,
  ],
  ['an option of HMS that is wrong', `{"recipient":{"hms_topic":"a"},"notification":{"hms":{"message":${HMS_TTL}}}}`],
  ['hours for raw tokens', `{${TOKEN},${FCM},"limit_strategy":{${HOURS}}}`],
  ['rates for raw tokens', `{${TOKEN},${FCM},"limit_strategy":{"rate_limit":{}}}`],
  ['hours without an end', `{${FILTER},${FCM},"limit_strategy":{"time_limit":{"send_after_time":"09:00:00"}}}`],
  ['a rate of zero', `{${FILTER},${FCM},"limit_strategy":{"rate_limit":{"policies":[{"rate":0,"interval_ms":1000}]}}}`],
  ['templates for raw tokens', `{${TOKEN},${FCM},"use_templating":true}`],
  ['more than 100,000 translations', `{${FILTER},${FCM},"localizations":{${entries(11, translations(10_000))}}}`],
])('refuses %s with 107', async (_, body) => {
  await expect(accept(body)).rejects.toSatisfy((error) => error instanceof ApiError && error.kind === 'badRequest')
})

test.each([
  [
    'a provider that is not enabled',
    `{"recipient":{"apns_tokens":["${DEVICE}"]},"notification":{"apns":{"payload":{}}}}`,
  ],
])('refuses %s with 108', async (_, body) => {
  await expect(accept(body)).rejects.toSatisfy((error) => error instanceof ApiError && error.kind === 'notAvailable')
})

test('refuses a different request with the same uid with 113, and repeats the answer to the same request', async () => {
  await accept(`{"uid":"twice",${TOKEN},${FCM}}`)
  await expect(accept(`{${FCM},${TOKEN}, "uid":"twice"}`)).resolves.toBe('twice')
  const other = accept(`{"uid":"twice","recipient":{"fcm_tokens":["u"]},${FCM}}`)
  await expect(other).rejects.toSatisfy((error) => error instanceof ApiError && error.kind === 'conflict')
})
