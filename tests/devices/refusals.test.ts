// A wrong value: the client gets error 107, the log names the field for the operator, and the database does not change.
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { keepLines, TOKEN_MARK } from '../support/run-log.ts'

let database: TestDatabase
let server: TestAssembly
let lines: string[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  const log = keepLines((line) => lines.push(line))
  server = await startAssembly(database.dsn, {}, pino({ level: 'info' }, log))
})

afterAll(async () => {
  await server.stop(0)
  await database.drop()
})

beforeEach(() => {
  lines = []
})

const SECRET = TOKEN_MARK
const ID = '01ARZ3NDEKTSV4RRFFQ69G5FAV-fcm'
const device = { provider: 'fcm', platform: 'ios', token: SECRET, user: 'u', topics: ['a-new-topic'] }

test.each([
  ['device_register', 'id', { ...device, id: 'x' }],
  ['device_register', 'id', { ...device, id: ID, provider: 'apns' }],
  ['device_register', 'provider', { ...device, provider: 'gcm' }],
  ['device_register', 'platform', { ...device, platform: 'phone' }],
  ['device_register', 'token', { ...device, token: `${SECRET}\u0000` }],
  ['device_register', 'token', { ...device, provider: 'apns' }],
  ['device_register', 'user', { ...device, user: 'x'.repeat(257) }],
  ['device_register', 'topics', { ...device, topics: ['a-new-topic', ''] }],
  ['device_register', 'timezone', { ...device, timezone: 'Berlin' }],
  ['device_register', 'locale', { ...device, locale: 'English_US' }],
  ['device_register', 'meta', { ...device, meta: { a: 'x'.repeat(4097) } }],
  ['device_register', 'token', { ...device, provider: 'webpush', platform: 'web' }],
  ['device_update', 'ids, users', { user_update: { user: 'u' } }],
  ['device_update', 'no update', { ids: [ID] }],
  ['device_update', 'ids', { ids: ['x'], user_update: { user: 'u' } }],
  ['device_update', 'users', { users: ['\u0000'], user_update: { user: 'u' } }],
  [
    'device_update',
    'topics_update.topics',
    { ids: [ID], topics_update: { op: 'add', topics: ['a-new-topic', '\u0000'] } },
  ],
  ['device_update', 'topics_update.op', { ids: [ID], topics_update: { op: 'ADD', topics: ['a-new-topic'] } }],
  ['device_remove', 'ids, users', {}],
  ['device_list', 'limit', { limit: -1 }],
  ['device_list', 'cursor', { cursor: 'x' }],
  ['device_topic_list', 'filter.device_users', { filter: { device_users: ['\u0000'] } }],
  ['device_topic_list', 'filter.device_platforms', { filter: { device_platforms: ['phone'] } }],
  ['device_topic_list', 'filter.topics', { filter: { topics: [''] } }],
  ['device_topic_list', 'cursor', { cursor: '00000001-x' }],
  ['device_topic_update', 'device_id', { device_id: '', op: 'add', topics: ['a-new-topic'] }],
  ['device_topic_update', 'topics', { device_id: ID, op: 'add', topics: ['a-new-topic', 'x'.repeat(257)] }],
  ['device_topic_update', 'op', { device_id: ID, topics: ['a-new-topic'] }],
  ['user_topic_list', 'filter.topic_prefix', { filter: { topic_prefix: 'x'.repeat(257) } }],
  ['user_topic_list', 'limit', { limit: -1 }],
  ['user_topic_update', 'user', { user: '\n', op: 'add', topics: ['a-new-topic'] }],
  ['user_topic_update', 'topics', { user: 'u', op: 'remove' }],
])('%s answers 107 for a wrong %s, logs the field and stores nothing', async (method, field, request) => {
  const reply = await server.post(`/${method}`, request)
  expect(reply.status).toBe(200)
  expect(await reply.json()).toEqual({ error: { code: 107, message: 'bad request' } })
  expect(lines).toHaveLength(1)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ method, error: 'badRequest', why: expect.stringContaining(field) })
  expect(lines[0]).not.toContain(SECRET)
  for (const table of ['devices', 'device_topics', 'user_topics', 'topics']) {
    expect(await database.sql`select from ${database.sql(table)}`).toHaveLength(0)
  }
})
