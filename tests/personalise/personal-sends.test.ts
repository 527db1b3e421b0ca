// Sends with personal notifications, from the API to the messages that the provider gets.
import * as v from 'valibot'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startFcmSimulator, type TestFcmSimulator } from '../support/fcm-simulator.ts'
import { startHmsSimulator, type TestHmsSimulator } from '../support/hms-simulator.ts'

const Registered = v.object({ result: v.object({ id: v.string() }) })

let database: TestDatabase
let fcm: TestFcmSimulator
let hms: TestHmsSimulator
let server: TestAssembly
const ids = new Map<string, string>()

/** Each has characters that need an escape in JSON. */
const DEVICES = [
  { token: 'ada', user: '42', locale: 'pt-BR', meta: { first_name: 'Ada "the 1st" \\', 'né à': 'Łódź 👍' } },
  { token: 'bob', user: '', locale: 'FR', meta: { first_name: '{{.device.id}}', __proto__x: 'x' } },
  { token: 'cyd', user: 'c"\\', locale: 'de-AT', meta: {} },
  { token: 'dan', user: 'd' },
]

beforeAll(async () => {
  ;[database, fcm, hms] = await Promise.all([createTestDatabase(), startFcmSimulator(), startHmsSimulator()])
  const { origin, files } = fcm.simulator
  server = await startAssembly(database.dsn, {
    push_notifications: {
      fcm: { credentials_file: files.credentials, ca_file: files.ca, push_endpoint: origin, auth_endpoint: origin },
      hms: {
        app_id: hms.simulator.app.id,
        app_secret: hms.simulator.app.secret,
        ca_file: hms.simulator.files.ca,
        push_endpoint: hms.simulator.origin,
        auth_endpoint: hms.simulator.authEndpoint,
      },
    },
  })
  for (const device of DEVICES) {
    const response = await post('/device_register', {
      provider: 'fcm',
      platform: 'android',
      topics: ['all'],
      ...device,
    })
    ids.set(device.token, v.parse(Registered, response).result.id)
  }
})
afterAll(async () => {
  await server.stop(0)
  await fcm.stop()
  await hms.stop()
  await database.drop()
})

async function post(path: string, body: object) {
  return await (await server.post(path, body)).json()
}

const ALL = { filter: { topics: ['all'] } }

/** The message of a request without its token. */
function readMessage(body = ''): unknown {
  const { token: _token, ...message } = JSON.parse(body).message
  return message
}

/** Sends `message` to all devices. Resolves to the message that FCM got for each device, without its token. */
async function sendToAll(message: object, options: object = {}): Promise<Record<string, unknown>> {
  const before = fcm.simulator.accepted.length
  const request = { recipient: ALL, notification: { fcm: { message } }, ...options }
  const answer = await post('/send_push_notification', request)
  expect(answer).toEqual({ result: { uid: expect.any(String) } })
  await fcm.simulator.waitForAccepted(before + DEVICES.length)
  return Object.fromEntries(
    fcm.simulator.accepted.slice(before).map(({ target, body }) => [target, readMessage(body)] as const),
  )
}

test('each device gets its own text in its own language', async () => {
  const title = '{{default [[hello]] .l10n.greeting}}, {{.device.meta.first_name | default [[friend]]}}!'
  const body = '{{if .device.user}}{{.device.user}}{{else}}nobody{{end}} {{index .device.meta [[né à]]}}'
  const received = await sendToAll(
    { notification: { title, body }, data: { id: '{{.device.id}}', '{{.device.user}}key': 'v' } },
    {
      use_meta: true,
      localizations: {
        pt: { translations: { greeting: 'Olá "pt"' } },
        fr: { translations: { greeting: 'Bonjour\n' } },
        DE_at: { translations: { greeting: 'Servus' } },
        de: { translations: { greeting: 'Hallo' } },
      },
    },
  )
  const message = (t: string, b: string, id: string, key: string) => ({
    notification: { title: t, body: b },
    data: { id: ids.get(id), [key]: 'v' },
  })
  expect(received).toEqual({
    ada: message('Olá "pt", Ada "the 1st" \\!', '42 Łódź 👍', 'ada', '42key'),
    bob: message('Bonjour\n, {{.device.id}}!', 'nobody ', 'bob', 'key'),
    cyd: message('Servus, friend!', 'c"\\ ', 'cyd', 'c"\\key'),
    dan: message('hello, friend!', 'd ', 'dan', 'dkey'),
  })
})

test('meta is empty without use_meta, and expressions are not rendered without use_templating', async () => {
  const message = { data: { a: '{{.device.meta.first_name}}|{{.device.user}}' } }
  const rendered = await sendToAll(message, { use_templating: true })
  expect(rendered).toMatchObject({ ada: { data: { a: '|42' } }, dan: { data: { a: '|d' } } })
  expect(await sendToAll(message, { use_meta: true })).toMatchObject({ ada: message, bob: message, cyd: message })
})

test('a target in the caller’s template is left out, and bytes outside of expressions are unchanged', async () => {
  const before = fcm.simulator.accepted.length
  const message = '{"token":"{{.device.user}}", "data" : {"n":"1.0","a":"\\u00e9{{.device.user}}"}}'
  const recipient = `{"filter":{"ids":["${ids.get('dan')}"]}}`
  const notification = `{"fcm":{"message":${message}}}`
  const request = `{"recipient":${recipient},"use_templating":true,"notification":${notification}}`
  const answer = await (await server.post('/send_push_notification', request)).json()
  expect(answer).toEqual({ result: { uid: expect.any(String) } })
  await fcm.simulator.waitForAccepted(before + 1)
  const body = '{"message":{"token":"dan", "data" : {"n":"1.0","a":"\\u00e9d"}}}'
  expect(fcm.simulator.accepted.at(-1)).toMatchObject({ target: 'dan', body })
})

test.each([
  ['a syntax error', { notification: { fcm: { message: { data: { a: '{{if .x}}' } } } } }],
  ['an error in another provider’s part', { notification: { fcm: { message: {} }, apns: { payload: { a: '{{' } } } }],
  [
    'an error in a header',
    { notification: { apns: { payload: {}, headers: { 'apns-collapse-id': '{{unknown}}' } }, fcm: { message: {} } } },
  ],
  ['raw tokens', { recipient: { fcm_tokens: ['t'] } }],
  ['a topic', { recipient: { fcm_topic: 'news' } }],
  ['raw tokens and translations', { recipient: { fcm_tokens: ['t'] }, localizations: { de: { translations: {} } } }],
  ['a translation too long', { localizations: { de: { translations: { a: 'x'.repeat(4097) } } } }],
])('a template with %s is refused', async (_, options) => {
  const message = { data: { a: '{{.device.id}}' } }
  const request = { recipient: ALL, notification: { fcm: { message } }, use_templating: true, ...options }
  const answer = await post('/send_push_notification', request)
  expect(answer).toEqual({ error: { code: 107, message: 'bad request' } })
})

test('the template of a scheduled send is rendered like any other', async () => {
  const before = fcm.simulator.accepted.length
  const send_at = Math.ceil(Date.now() / 1000) + 1
  await post('/send_push_notification', {
    recipient: { filter: { users: ['42'] } },
    notification: { fcm: { message: { data: { a: '{{.l10n.x}} {{.device.meta.first_name}}' } } } },
    localizations: { pt: { translations: { x: 'sim' } } },
    use_meta: true,
    send_at,
  })
  await vi.waitFor(() => expect(fcm.simulator.accepted).toHaveLength(before + 1), { timeout: 10_000 })
  expect(readMessage(fcm.simulator.accepted.at(-1)?.body)).toEqual({ data: { a: 'sim Ada "the 1st" \\' } })
})

test('a provider that accepts many tokens per request gets a rendered message for each token', async () => {
  for (const user of ['eve', 'fay']) {
    await post('/device_register', {
      provider: 'hms',
      platform: 'android',
      token: `${user}-token`,
      user,
      topics: ['h'],
    })
  }
  await post('/send_push_notification', {
    recipient: { filter: { topics: ['h'] } },
    notification: { hms: { message: { data: 'for {{.device.user}}' } } },
    use_templating: true,
  })
  await hms.simulator.waitForAccepted(2)
  const received = hms.simulator.accepted.map(({ target, body }) => [target, JSON.parse(body)])
  expect(Object.fromEntries(received)).toEqual({ 'eve-token': { data: 'for eve' }, 'fay-token': { data: 'for fay' } })
})
