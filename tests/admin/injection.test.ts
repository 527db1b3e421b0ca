import * as v from 'valibot'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { formatCsv } from '../../src/admin/analytics/csv.ts'
import { type AdminRig, type Client, startAdminRig } from './admin-rig.ts'

const ATTACK = `"><script>alert(1)</script><img src=x onerror="alert(2)">'`
const ESCAPED = '&lt;script&gt;alert(1)'

const Registered = v.object({ result: v.object({ id: v.string() }) })

let rig: AdminRig
let client: Client
let device: string

beforeAll(async () => {
  rig = await startAdminRig()
  client = await rig.loggedIn()
  const registered = await rig.server.post('/device_register', {
    provider: 'fcm',
    // No token has white space, and markup needs none.
    token: ATTACK.replaceAll(' ', '/'),
    platform: 'android',
    user: ATTACK,
    meta: { [ATTACK]: ATTACK },
    topics: [ATTACK],
  })
  device = v.parse(Registered, await registered.json()).result.id
  await rig.server.post('/user_topic_update', { user: ATTACK, op: 'add', topics: [ATTACK] })
  await rig.server.post('/send_push_notification', {
    uid: ATTACK,
    recipient: { filter: { users: [ATTACK] } },
    notification: { fcm: { message: { notification: { title: ATTACK, body: ATTACK } } } },
    send_at: Math.floor(Date.now() / 1000) + 3600,
  })
  await client.post('/queue/pause', { provider: 'hms', reason: ATTACK })
  // As a provider could answer it.
  await rig.database.sql`
    insert into notifications (time, uid, provider, device_id, user_id, status, error_code, error_message)
    values (clock_timestamp(), ${ATTACK}, 'fcm', ${device}, ${ATTACK}, 'failed', ${ATTACK}, ${ATTACK})`
  await rig.database.sql`
    insert into notification_hours (hour, provider, type, platform, status, error_code, count)
    values (date_bin('1 hour', clock_timestamp(), to_timestamp(0)), 'fcm', 'token', ${ATTACK}, 'failed', ${ATTACK}, 3)`
  await rig.database.sql`
    insert into removed_devices (removed_at, provider, reason, device)
    select clock_timestamp(), provider, ${ATTACK}, to_jsonb(d) || '{"topics": []}' from devices d`
})

afterAll(() => rig.stop())

const q = encodeURIComponent(ATTACK)

test.each([
  ['', true],
  ['/sends', true],
  [`/sends?uid=${q}`, true],
  [`/send?uid=${q}`, true],
  [`/explain?uid=${q}&user=${q}`, true],
  [`/devices?user=${q}`, true],
  ['/removed-devices', true],
  [`/topics?topic=${q}`, true],
  ['/topics', true],
  ['/queue', true],
  [`/queue?uid=${q}`, true],
  ['/analytics', true],
  ['/actions', true],
  [`/configuration?search=${q}`, true],
  [`/new-push?topic=${q}&title=${q}`, true],
  [`/login?next=${q}`, false],
  [`/sends?state=${q}`, false],
  [`/devices?provider=${q}`, false],
  [`/?notice=${q}`, false],
  [`/analytics?range=${q}`, false],
])('%s escapes texts that apps and links can set (XSS)', async (path, shows) => {
  const html = await (await client.get(path)).text()
  expect(html).not.toContain('<script>alert')
  expect(html).not.toContain('<img src=x')
  if (shows) expect(html).toContain(ESCAPED)
  // Scripts are only files, and nothing has a handler or a style.
  expect(html.match(/<script(?! type="module" src="\/admin\/assets\/admin.js")/g)).toBeNull()
  expect(html.replaceAll(/"[^"]*"/g, '""').match(/<[^>]*\s(?:on\w+|style)=/g)).toBeNull()
})

test('the page of a device escapes its token, meta and topics', async () => {
  for (const answer of [await client.get(`/devices/${device}`), await client.post(`/devices/${device}/token`)]) {
    expect(answer.status).toBe(200)
    const html = await answer.text()
    expect(html).toContain(ESCAPED)
    expect(html).not.toContain('<script>alert')
    expect(html).not.toContain('<img src=x')
  }
})

test('the preview of a push escapes its texts, and its curl line stays one word of the shell', async () => {
  const answer = await client.post('/new-push/check', { user: ATTACK, title: ATTACK, body: ATTACK })
  expect(answer.status).toBe(200)
  const html = await answer.text()
  expect(html).toContain(ESCAPED)
  expect(html).not.toContain('<script>alert')
  expect(html).toContain('&#39;\\&#39;&#39;')
})

test('the state of a push that is written escapes its fields', async () => {
  for (const fields of [{ fcm: ATTACK }, { provider: ATTACK }, { user: ATTACK, title: ATTACK, sendAt: ATTACK }]) {
    const html = await (await client.post('/new-push/state', fields)).text()
    expect(html).toContain('<li>')
    expect(html).not.toMatch(/<script|<img/)
  }
})

test('a live part escapes its texts', async () => {
  const stop = new AbortController()
  const cookie = [...client.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const answer = await fetch(`${rig.server.url}/admin/queue/events`, { headers: { cookie }, signal: stop.signal })
  let text = ''
  for await (const chunk of answer.body ?? []) {
    text += Buffer.from(chunk).toString()
    if (text.includes('queue-state')) break
  }
  stop.abort()
  expect(text).toContain(ESCAPED)
  expect(text).not.toContain('<script>alert')
})

test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', ' =1', '=cmd|"/c calc"!A1'])(
  'a text %j is not a formula in CSV (CSV injection)',
  (text) => {
    const [, field = ''] = /^"?(.*)/s.exec(formatCsv(['a'], [[text]]).split('\r\n')[1] ?? '') ?? []
    expect(field.startsWith("'")).toBe(true)
  },
)

test('CSV keeps numbers, quotes and line breaks', () => {
  expect(formatCsv(['a', 'b'], [['x "y"\nz', -1]])).toBe('a,b\r\n"x ""y""\nz",-1\r\n')
})

test('the CSV of analytics has the text of a code as a field', async () => {
  await rig.database.sql`
    insert into notification_counts (minute, provider, type, platform, status, error_code, count)
    values (date_trunc('minute', clock_timestamp()), 'fcm', 'token', 'ios', 'failed', '=HYPERLINK("http://x")', 1)`
  const csv = await (await client.get('/analytics.csv?range=1h')).text()
  expect(csv).toContain(`"'=HYPERLINK(""http://x"")",1`)
})
