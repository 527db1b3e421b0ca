// push_list and push_info, over HTTP as Centrifugo's methods are.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

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

const call = async (path: string, body: object): Promise<unknown> => (await server.post(path, body)).json()
const send = (uid: string, over: object = {}) => {
  const recipient = { fcm_tokens: ['a', 'b'] }
  return call('/send_push_notification', { uid, recipient, notification: { fcm: { message: {} } }, ...over })
}
const waitForEnd = (uid: string) =>
  vi.waitFor(async () => {
    const reply = await call('/push_info', { uid })
    expect(reply).toMatchObject({ result: { uid, state: 'ended' } })
    return reply
  })

test('push_info has the report of a send', async () => {
  expect(await send('two')).toEqual({ result: { uid: 'two' } })
  const seconds = expect.any(Number)
  expect(await waitForEnd('two')).toEqual({
    result: {
      uid: 'two',
      state: 'ended',
      accepted_at: seconds,
      first_at: seconds,
      last_at: seconds,
      ended_at: seconds,
      notification_providers: ['fcm'],
      recipient: { provider: 'fcm', type: 'token' },
      targets: 2,
      sent: 2,
      providers: [{ provider: 'fcm', targets: 2, sent: 2 }],
    },
  })
})

test('push_info counts devices that get no push', async () => {
  const device = { provider: 'apns', token: 'ab'.repeat(32), platform: 'ios', user: 'ann' }
  await call('/device_register', device)
  const recipient = { filter: { users: ['ann'] } }
  await send('left-out', { recipient })
  const left_out = [{ provider: 'apns', reason: 'no_notification', count: 1 }]
  expect(await waitForEnd('left-out')).toMatchObject({
    result: { recipient, targets: 1, dropped: 1, left_out, providers: [{ provider: 'apns', targets: 1, dropped: 1 }] },
  })
})

test('reports of apps count in the report of the send', async () => {
  await send('reported')
  for (const status of ['delivered', 'delivered', 'interacted']) {
    await call('/update_push_status', { analytics_uid: 'reported', status, device_id: 'd' })
  }
  await vi.waitFor(
    async () => {
      expect(await call('/push_info', { uid: 'reported' })).toMatchObject({ result: { delivered: 2, interacted: 1 } })
    },
    { timeout: 10_000 },
  )
})

test('push_list lists reports by state, uid and time, the latest first', async () => {
  const atSeconds = Math.floor(Date.now() / 1000) + 3600
  await send('list-1')
  await waitForEnd('list-1')
  await send('list-2', { send_at: atSeconds })
  const item = (uid: string) => expect.objectContaining({ uid })
  expect(await call('/push_list', { uid_prefix: 'list-' })).toEqual({
    result: { items: [item('list-2'), item('list-1')] },
  })
  expect(await call('/push_list', { states: ['scheduled'] })).toMatchObject({
    result: { items: [{ uid: 'list-2', state: 'scheduled', send_at: atSeconds }] },
  })
  expect(await call('/push_list', { accepted_from: atSeconds })).toEqual({ result: { items: [] } })
  const first = await call('/push_list', { uid_prefix: 'list-', limit: 1 })
  expect(first).toEqual({ result: { items: [item('list-2')], next_cursor: expect.any(String) } })
  const cursor = JSON.stringify(first).match(/"next_cursor":"([^"]+)"/)?.[1]
  expect(await call('/push_list', { uid_prefix: 'list-', limit: 1, cursor })).toMatchObject({
    result: { items: [item('list-1')] },
  })
})

test('both are commands of a batch and of the legacy API', async () => {
  await send('batched')
  await waitForEnd('batched')
  const commands = [{ push_info: { uid: 'batched' } }, { push_list: { uid_prefix: 'batched' } }]
  expect(await call('/batch', { commands })).toMatchObject({
    replies: [{ push_info: { uid: 'batched', sent: 2 } }, { push_list: { items: [{ uid: 'batched' }] } }],
  })
  const legacy = { method: 'push_info', params: { uid: 'batched' } }
  expect(await call('', legacy)).toMatchObject({ result: { uid: 'batched', sent: 2 } })
  expect(await call('', { ...legacy, method: 1001 })).toMatchObject({ result: { uid: 'batched', sent: 2 } })
})

test.each([
  ['/push_info', { uid: 'unknown' }, 104],
  ['/push_info', {}, 107],
  ['/push_list', { states: ['finished'] }, 107],
  ['/push_list', { limit: -1 }, 107],
  ['/push_list', { cursor: '%' }, 107],
  ['/push_list', { uid_prefix: 'x'.repeat(257) }, 107],
  ['/push_list', { accepted_from: 1e15 }, 107],
])('%s with %j answers error %i', async (path, params, code) => {
  expect(await call(path, params)).toMatchObject({ error: { code } })
})
