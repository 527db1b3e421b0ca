// push_events over HTTP, in a batch and by its legacy names.
import * as v from 'valibot'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

const REPORT = { analytics_uid: 'a-send', device_id: 'a-device', msg_id: 'a-message' }

let database: TestDatabase
let server: TestAssembly
beforeAll(async () => {
  database = await createTestDatabase()
  server = await startAssembly(database.dsn)
  for (const status of ['delivered', 'interacted']) {
    await server.post('/update_push_status', { ...REPORT, status })
    // The order of two rows of the same millisecond is not defined.
    await database.sql`update notifications set time = time - interval '1 second'`
  }
})
afterAll(async () => {
  await server.stop(0)
  await database.drop()
})

const makeItem = (status: string) => ({
  time_ms: expect.any(Number),
  ...{ uid: 'a-send', status, device_id: 'a-device', msg_id: 'a-message' },
})
const ITEMS = [makeItem('interacted'), makeItem('delivered')]
const answerTo = async (path: string, body: object) => await (await server.post(path, body)).json()

test('lists the rows of a send or device, the newest first', async () => {
  expect(await answerTo('/push_events', { uid: 'a-send' })).toEqual({ result: { items: ITEMS } })
  expect(await answerTo('/push_events', { device_id: 'a-device' })).toEqual({ result: { items: ITEMS } })
  expect(await answerTo('/push_events', { uid: 'a-send', device_id: 'other' })).toEqual({ result: { items: [] } })
})

test('continues at a cursor', async () => {
  const first = await answerTo('/push_events', { uid: 'a-send', limit: 1 })
  expect(first).toEqual({ result: { items: ITEMS.slice(0, 1), next_cursor: expect.any(String) } })
  const cursor = v.parse(v.object({ result: v.object({ next_cursor: v.string() }) }), first).result.next_cursor
  expect(await answerTo('/push_events', { uid: 'a-send', cursor })).toEqual({ result: { items: ITEMS.slice(1) } })
})

test('answers in a batch, and by its legacy name and number', async () => {
  const batch = { commands: [{ push_events: { uid: 'a-send' } }, { explain_push: { uid: 'u', user: 'anna' } }] }
  expect(await answerTo('/batch', batch)).toEqual({
    replies: [
      { push_events: { items: ITEMS } },
      { explain_push: { items: [expect.objectContaining({ user: 'anna', reason: 'unknown_send' })] } },
    ],
  })
  for (const method of ['push_events', 1002]) {
    const answer = await answerTo('', { id: 1, method, params: { uid: 'a-send' } })
    expect(answer).toEqual({ id: 1, result: { items: ITEMS } })
  }
  for (const method of ['explain_push', 1003]) {
    const answer = await answerTo('', { id: 1, method, params: { uid: 'u', user: 'anna' } })
    expect(answer).toEqual({ id: 1, result: { items: [expect.objectContaining({ reason: 'unknown_send' })] } })
  }
})

test.each([{}, { uid: 'u', limit: -1 }, { uid: 'u', cursor: 'x' }, { uid: 'u\n' }, { user: 'x'.repeat(257) }])(
  'refuses %j',
  async (request) => {
    expect(await answerTo('/push_events', request)).toEqual({ error: { code: 107, message: 'bad request' } })
  },
)
