// Invalid requests of a hostile or mistaken client to the push methods. Each gets a clear answer, nothing is stored,
// and the server continues.
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startAssembly, TEST_KEY, type TestAssembly } from '../support/assembly.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

const METHODS = [
  'device_register',
  'device_update',
  'device_remove',
  'device_list',
  'device_topic_update',
  'device_topic_list',
  'user_topic_update',
  'user_topic_list',
  'send_push_notification',
  'cancel_push',
  'update_push_status',
  'push_events',
  'explain_push',
]
const LISTS = ['device_list', 'device_topic_list', 'user_topic_list']
const DEEP = `${'['.repeat(100_000)}${']'.repeat(100_000)}`

let database: TestDatabase
let server: TestAssembly

beforeAll(async () => {
  database = await createTestDatabase()
  server = await startAssembly(database.dsn)
})
afterAll(async () => {
  await server.stop(0)
  await database.drop()
})

async function expectNothingStored(): Promise<void> {
  for (const table of [
    'devices',
    'device_topics',
    'user_topics',
    'topics',
    'push_sends',
    'push_batches',
    'notifications',
  ]) {
    const rows = await database.sql`select * from ${database.sql(table)}`
    expect(rows, table).toHaveLength(0)
  }
}

async function expectAlive(): Promise<void> {
  expect((await fetch(`${server.url}/health`)).status).toBe(200)
}

describe.each(METHODS)('%s', (method) => {
  test.each([
    ['nothing', ''],
    ['no JSON', 'hello'],
    ['a list', '[]'],
    ['a string', '"x"'],
    ['a number', '1'],
    ['JSON that ends early', '{"user":"a'],
    ['two values', '{}{}'],
    ['a byte order mark', '\ufeff{}'],
    ['100,000 levels', `{"x":${DEEP}}`],
  ])('answers 400 to %s', async (_, body) => {
    const answer = await server.post(`/${method}`, body)
    expect([answer.status, await answer.text()]).toEqual([400, 'Bad Request\n'])
  })

  test('answers an unknown field like an empty request', async () => {
    const empty = await (await server.post(`/${method}`, '{}')).text()
    expect(empty).toBe(
      LISTS.includes(method) ? '{"result":{"items":[]}}' : '{"error":{"code":107,"message":"bad request"}}',
    )
    for (const body of [
      'null',
      '{"__proto__":{"user":"a"},"constructor":{"prototype":{}}}',
      '{"unknown":[1,{"a":null}]}',
    ]) {
      expect(await (await server.post(`/${method}`, body)).text(), body).toBe(empty)
    }
    expect(Object.hasOwn(Object.prototype, 'user')).toBe(false)
  })

  test('stores nothing of these requests', expectNothingStored)
})

test.each([
  ['device_register', '{"provider":1}'],
  ['device_register', '{"topics":"a"}'],
  ['device_register', '{"topics":[1]}'],
  ['device_register', '{"meta":{"a":1}}'],
  ['device_update', '{"ids":{}}'],
  ['device_update', '{"user_update":"a"}'],
  ['device_update', '{"topics_update":{"op":5}}'],
  ['device_remove', '{"users":[["a"]]}'],
  ['device_list', '{"limit":"10"}'],
  ['device_list', '{"limit":1.0}'],
  ['device_list', '{"limit":1e2}'],
  ['device_list', '{"limit":2147483648}'],
  ['device_list', '{"include_topics":1}'],
  ['device_list', '{"filter":[]}'],
  ['device_topic_list', '{"filter":{"topic_prefix":[]}}'],
  ['device_topic_update', '{"device_id":null,"op":true}'],
  ['user_topic_list', '{"cursor":0}'],
  ['user_topic_update', '{"topics":[null,1]}'],
  ['send_push_notification', '{"recipient":[]}'],
  ['send_push_notification', '{"recipient":{"fcm_tokens":"t"}}'],
  ['send_push_notification', '{"notification":{"fcm":"hello"}}'],
  ['send_push_notification', '{"notification":{"expire_at":1.5}}'],
  ['send_push_notification', '{"send_at":"soon"}'],
  ['send_push_notification', '{"send_at":9223372036854775808}'],
  ['send_push_notification', '{"localizations":{"en":{"translations":{"a":1}}}}'],
  ['send_push_notification', '{"limit_strategy":{"rate_limit":{"policies":[{"rate":"1"}]}}}'],
  ['cancel_push', '{"uid":1}'],
  ['update_push_status', '{"status":{}}'],
])('%s answers 400 to a wrong type: %s', async (method, body) => {
  expect((await server.post(`/${method}`, body)).status).toBe(400)
  await expectNothingStored()
})

const DEVICE = { provider: 'fcm', platform: 'android', token: 't' }
const SEND = { recipient: { fcm_tokens: ['t'] }, notification: { fcm: { message: {} } } }

test.each([
  ['device_register', { ...DEVICE, provider: 'gcm' }],
  ['device_register', { ...DEVICE, platform: 'windows' }],
  ['device_register', { ...DEVICE, token: '' }],
  ['device_register', { ...DEVICE, token: 'a\u0000b' }],
  ['device_register', { ...DEVICE, user: 'a\u0000b', topics: ['kept?'] }],
  ['device_register', { ...DEVICE, topics: ['fine', 'not\u0000fine'] }],
  ['device_register', { ...DEVICE, timezone: 'Mars/Olympus' }],
  ['device_register', { ...DEVICE, locale: 'not a locale' }],
  ['device_register', { ...DEVICE, id: 'mine' }],
  ['device_register', { ...DEVICE, id: '01M82YT4QD2G9VVXJQNWKWFG4N-apns' }],
  ['device_register', { ...DEVICE, meta: { a: 'x'.repeat(100_000) } }],
  ['device_update', { ids: ['01M82YT4QD2G9VVXJQNWKWFG4N-fcm'] }],
  ['device_update', { user_update: { user: 'a' } }],
  ['device_remove', { ids: [''] }],
  ['device_list', { filter: { providers: ['gcm'] } }],
  ['device_list', { limit: -1 }],
  ['device_list', { cursor: 'elsewhere' }],
  ['device_topic_update', { device_id: '01M82YT4QD2G9VVXJQNWKWFG4N-fcm', op: 'toggle', topics: ['a'] }],
  ['user_topic_update', { user: 'a', op: 'add' }],
  ['user_topic_update', { user: 'a', op: 'add', topics: ['b\u0000'] }],
  ['send_push_notification', { ...SEND, recipient: { filter: { providers: ['gcm'] } } }],
  ['send_push_notification', { ...SEND, recipient: { filter: { topics: ['a\u0000'] } } }],
  ['send_push_notification', { ...SEND, uid: 'a\u0000' }],
  ['cancel_push', { uid: 'a\u0000' }],
  ['update_push_status', { analytics_uid: 'a', device_id: 'b', status: 'seen' }],
])('%s answers 107 to a wrong value: %j', async (method, body) => {
  const answer = await server.post(`/${method}`, body)
  expect([answer.status, await answer.text()]).toEqual([200, '{"error":{"code":107,"message":"bad request"}}'])
  await expectNothingStored()
})

test('answers 413 to a content length of 100 MB, and reads no body', async () => {
  const answer = await post('/api/device_register', { 'content-length': 100 * 1024 * 1024 }, 0)
  expect(answer).toMatchObject({ status: 413 })
  await expectAlive()
})

test('answers 413 to 100 MB in chunks, and stops reading soon after the limit', async () => {
  const answer = await post('/api/device_register', { 'transfer-encoding': 'chunked' }, 100 * 1024 * 1024)
  expect(answer.status).toBe(413)
  expect(answer.sentBytes).toBeLessThan(100 * 1024 * 1024)
  await expectAlive()
  await expectNothingStored()
})

/** Sends up to `bytes` as fast as the server reads them, until it answers. */
function post(path: string, headers: Record<string, string | number>, bytes: number) {
  return new Promise<{ status: number | undefined; sentBytes: number }>((resolve, reject) => {
    const outgoing = request(`${server.url}${path}`, { method: 'POST', headers: { 'x-api-key': TEST_KEY, ...headers } })
    const chunk = Buffer.alloc(64 * 1024, 0x20)
    let sentBytes = 0
    let isAnswered = false
    outgoing.on('response', (answer) => {
      isAnswered = true
      answer.resume()
      resolve({ status: answer.statusCode, sentBytes })
      outgoing.destroy()
    })
    // The connection is cut after the answer.
    outgoing.on('error', (error) => (isAnswered ? undefined : reject(error)))
    const send = () => {
      while (!isAnswered && sentBytes < bytes) {
        sentBytes += chunk.length
        if (!outgoing.write(chunk)) {
          outgoing.once('drain', send)
          return
        }
      }
    }
    outgoing.flushHeaders()
    send()
  })
}
