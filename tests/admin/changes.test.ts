// Changes by the pages, as a browser without scripts makes them.
import * as v from 'valibot'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type AdminRig, type Client, startAdminRig } from './admin-rig.ts'

let rig: AdminRig
let client: Client

beforeAll(async () => {
  rig = await startAdminRig()
  client = await rig.loggedIn()
})

afterAll(() => rig.stop())

const Registered = v.object({ result: v.object({ id: v.string() }) })

async function register(user: string, topics: string[] = []): Promise<string> {
  const device = { provider: 'fcm', token: `token-of-${user}`, platform: 'android', user, topics }
  return v.parse(Registered, await (await rig.server.post('/device_register', device)).json()).result.id
}

async function text(path: string): Promise<string> {
  return await (await client.get(path)).text()
}

/** The values of the hidden fields of a page. */
function hiddenFields(html: string): Record<string, string> {
  const fields = [...html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)]
  return Object.fromEntries(fields.map(([, name = '', value = '']) => [name, value.replaceAll('&quot;', '"')]))
}

async function actions(action: string) {
  return await rig.database.sql`select * from admin_actions where action = ${action} order by id`
}

/** Adds a dead letter, of a send that is not due. */
async function giveUp(uid: string, provider: string, targets: number): Promise<void> {
  await rig.server.post('/send_push_notification', {
    uid,
    recipient: { filter: { users: ['nobody'] } },
    notification: { fcm: { message: {} } },
    send_at: Math.floor(Date.now() / 1000) + 3600,
  })
  await rig.database.sql`
    insert into push_dead_letters (uid, lane, provider, target_kind, target_count, targets, reason, attempts, given_up_at)
    values (${uid}, 0, ${provider}, 'token', ${targets}, ${'\ta-token\t\t'}, 'UNAVAILABLE', 3, clock_timestamp())`
}

test('a test push goes to the device, and the page of the send shows it', async () => {
  const id = await register('tested')
  const answer = await client.post(`/devices/${id}/test`, { title: 'Hi', body: 'there' })
  expect(answer.status).toBe(303)
  const page = answer.headers.get('location')?.replace('/admin', '') ?? ''
  await vi.waitFor(async () => expect(await text(page)).toContain('state-ended'), 20_000)
  await vi.waitFor(async () => expect(await text(`/devices/${id}`)).toContain('state-sent'), 20_000)
  expect(await actions('send test push')).toMatchObject([{ target: id, role: 'admin' }])
})

test('a new push is previewed, sent once even if it is submitted twice, and shown as curl', async () => {
  await register('reader', ['press'])
  const check = await client.post('/new-push/check', { topic: 'press', title: 'Breaking', body: 'News' })
  const html = await check.text()
  expect(html).toContain('It goes to 1 device that')
  expect(html).toContain('of 4,096 bytes')
  const fields = hiddenFields(html)
  const [first, second] = [await client.post('/new-push/send', fields), await client.post('/new-push/send', fields)]
  expect(first.status).toBe(303)
  expect(second.headers.get('location')).toBe(first.headers.get('location'))
  const [row] = await rig.database.sql`select count(*)::int as count from push_sends where uid = ${
    JSON.parse(fields.request ?? '{}').uid
  }`
  expect(row?.count).toBe(1)
})

test.each([
  [{ title: 'x' }, 'Choose a recipient'],
  [{ topic: 'a' }, 'Write a title'],
  [{ topic: 'a', fcm: '{"message":' }, 'fcm: '],
  [{ topic: 'a', fcm: '{"message": 5}' }, 'notification.fcm.message'],
  [{ topic: 'a', title: 'x', provider: 'icq' }, 'filter.providers'],
  [{ topic: 'a', title: 'x', translations: '[1]' }, 'Nothing was sent'],
  [{ topic: 'a', title: 'x', afterTime: '25:00', beforeTime: '10:00' }, 'time_limit'],
  [{ topic: 'a', title: 'x', rate: '-1', rateSeconds: '5' }, 'Nothing was sent'],
])('the form of a new push with %j says what is wrong, and keeps what was written', async (fields, problem) => {
  const answer = await client.post('/new-push/check', fields)
  const html = await answer.text()
  expect(html).toContain(problem)
  expect(answer.status).toBe(400)
  expect(html).toContain('<form method="post" action="/admin/new-push/check"')
})

test('a push that is being written is counted and checked, and not sent', async () => {
  await register('reader-1', ['written'])
  await register('reader-2', ['written'])
  const state = async (fields: Record<string, string>) => (await client.post('/new-push/state', fields)).text()
  expect(await state({ topic: 'written', title: 'Hello' })).toBe('<p><strong>2 devices match now.</strong></p>')
  expect(await state({ user: 'reader-1' })).toMatch(/1 device matches now.*Write a title/)
  expect(await state({ topic: 'written', fcm: '{"message": ' })).toMatch(/2 devices match now.*fcm: /)
  expect(await state({ title: 'Hello' })).toMatch(/^<ul class="faint"><li>Choose a recipient/)
  expect(await state({ provider: 'pigeon' })).toMatch(/^<ul class="faint"><li>filter.providers: /)
})

test('the first push of a new server goes to a test device', async () => {
  const answer = await client.post('/devices/test-device')
  expect(answer.status).toBe(303)
  const page = answer.headers.get('location')?.replace('/admin', '') ?? ''
  const device = await text(page)
  expect(device).toContain('test-user')
  const [path = ''] = page.split('?')
  const sent = await client.post(`${path}/test`, { title: 'First' })
  const send = sent.headers.get('location')?.replace('/admin', '') ?? ''
  await vi.waitFor(async () => expect(await text(send)).toContain('state-ended'), 20_000)
  expect(await actions('add test device')).toMatchObject([{ target: 'test-user', outcome: path.split('/').at(-1) }])
})

test('a push to many devices needs their number', async () => {
  await rig.database.sql`
    insert into devices (id, created_at, updated_at, registered_at, provider, platform, token, user_id)
    select gen_random_uuid(), now(), now(), now(), 1, 2, 'many' || n, 'crowd' from generate_series(1, 1000) as n`
  const fields = hiddenFields(await (await client.post('/new-push/check', { user: 'crowd', title: 'x' })).text())
  expect((await client.post('/new-push/send', fields)).status).toBe(400)
  expect((await client.post('/new-push/send', { ...fields, count: '999' })).status).toBe(400)
  expect((await client.post('/new-push/send', { ...fields, count: '1,000' })).status).toBe(303)
})

test('a token is shown only on request, which is logged', async () => {
  const id = await register('secretive')
  expect(await text(`/devices/${id}`)).not.toContain('token-of-secretive')
  expect(await (await client.post(`/devices/${id}/token`)).text()).toContain('token-of-secretive')
  expect(await actions('show token')).toMatchObject([{ target: id }])
})

test('topics of a device and of a user change', async () => {
  const id = await register('follower', ['old'])
  await client.post(`/devices/${id}/topics`, { topics: 'new\nnewer' })
  expect(await text(`/devices/${id}`)).toMatch(/new<.*newer</s)
  await client.post('/topics/user', { user: 'follower', op: 'add', topics: 'of-user' })
  expect(await text('/topics?user=follower')).toContain('of-user')
  expect(await text(`/devices/${id}`)).toContain('of-user')
})

test('a device is removed by hand, and one that was removed automatically is restored', async () => {
  const [removed, gone] = [await register('removed'), await register('gone')]
  expect((await client.post(`/devices/${removed}/remove`)).status).toBe(303)
  expect((await client.get(`/devices/${removed}`)).status).toBe(404)
  await rig.database.sql`
    with moved as (delete from devices where user_id = 'gone' returning *)
    insert into removed_devices (removed_at, provider, reason, device)
    select clock_timestamp(), provider, 'token gone', to_jsonb(moved) || '{"topics": []}' from moved`
  const html = await text('/removed-devices?user=gone')
  expect(html).toContain(gone)
  expect(await text('/removed-devices?provider=fcm&hours=1')).toContain('To restore: 1 device.')
  const answer = await client.post('/removed-devices/restore', hiddenFields(html))
  expect(answer.headers.get('location')).toContain('count=1')
  expect((await client.get(`/devices/${gone}`)).status).toBe(200)
})

test('a provider is paused with a reason, and resumed', async () => {
  expect((await client.post('/queue/pause', { provider: 'hms', reason: '' })).status).toBe(400)
  await client.post('/queue/pause', { provider: 'hms', reason: 'maintenance at noon' })
  expect(await text('/queue')).toContain('maintenance at noon')
  expect(await text('')).toContain('hms is paused by an operator: maintenance at noon')
  await client.post('/queue/resume', { provider: 'hms' })
  expect(await text('/queue')).not.toContain('maintenance at noon')
  expect(await actions('pause provider')).toMatchObject([{ detail: 'maintenance at noon', outcome: 'done' }])
})

test('dead letters that match the filter are deleted, and no others; the count is said before', async () => {
  await giveUp('uid-a', 'fcm', 3)
  await giveUp('uid-b', 'fcm', 5)
  expect(await text('/queue?uid=uid-a')).toContain('1 dead letter with 3 targets in this selection')
  expect(await text('/queue?provider=fcm')).toContain('Delete 8 targets')
  expect((await client.post('/queue/drop')).status).toBe(400)
  const answer = await client.post('/queue/drop', { uid: 'uid-a' })
  expect(answer.headers.get('location')).toContain('count=3')
  expect(await text('/queue')).toContain('1 dead letter with 5 targets in this selection')
  expect((await client.post('/queue/drop', { all: '1' })).headers.get('location')).toContain('count=5')
})

test('a scheduled send is shown without its data, and cancelled', async () => {
  await rig.server.post('/send_push_notification', {
    uid: 'later',
    recipient: { filter: { users: ['reader'] } },
    notification: {
      fcm: { message: { notification: { title: 'Visible' }, data: { pin: '987654', body: 'pin 987655' } } },
      apns: { payload: { aps: { alert: { title: 'Visible' }, badge: 3 }, pin: 987656, list: ['pin 987657', 987658] } },
    },
    send_at: Math.floor(Date.now() / 1000) + 3600,
  })
  const html = await text('/send?uid=later')
  expect(html).toContain('Visible')
  expect(html).not.toMatch(/98765\d/)
  expect(html).toContain('&quot;badge&quot;: 3')
  expect((await client.post('/send/cancel', { uid: 'later', isPart: '1' })).status).toBe(400)
  expect((await client.post('/send/cancel', { uid: 'later', isPart: '1', user: 'reader' })).status).toBe(303)
  expect(await text('/send?uid=later')).toContain('state-scheduled')
  await client.post('/send/cancel', { uid: 'later' })
  expect(await text('/send?uid=later')).toContain('state-cancelled')
  expect(await text('/actions')).toContain('cancel send')
})

test('the question why a push did not arrive is answered', async () => {
  const html = await text('/explain?uid=later&user=reader')
  expect(html).toContain('The push was cancelled before it was handed to the provider.')
  expect(html).toContain('Was it not cancelled? <strong>cancelled</strong>')
})

test('the configuration in force is shown without secrets', async () => {
  const html = await text('/configuration?shows=all')
  expect(html).toContain('admin.password')
  expect(html).toContain('(hidden)')
  for (const secret of ['password-of-administrators', 'secret-of-admin-sessions', 'test-key', rig.database.dsn]) {
    expect(html).not.toContain(secret)
  }
})
