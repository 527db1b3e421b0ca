import { once } from 'node:events'
import { request } from 'node:http'
import { SignJWT } from 'jose'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AdminRig, makeClient, PASSWORD, startAdminRig, VIEWER_PASSWORD } from './admin-rig.ts'

let rig: AdminRig

beforeAll(async () => {
  rig = await startAdminRig({ http_server: { trusted_proxies: ['127.0.0.1/32'] } })
})

afterAll(() => rig.stop())

/** Each test has an address of its own, because failed logins count by address. */
let addresses = 0
const newAddress = () => ({ 'x-forwarded-for': `198.51.100.${++addresses}` })

describe('the session', () => {
  test('begins with the right password, and ends with the logout', async () => {
    const client = await rig.loggedIn()
    expect((await client.get('/devices')).status).toBe(200)
    expect((await client.post('/logout')).status).toBe(303)
    expect((await client.get('/devices')).headers.get('location')).toBe('/admin/login?next=%2Fadmin%2Fdevices')
  })

  test('ends with the logout for all copies of its cookie, and no other session does', async () => {
    const [client, thief, other] = [await rig.loggedIn(), rig.newClient(), await rig.loggedIn()]
    for (const [name, value] of client.cookies) thief.cookies.set(name, value)
    await client.post('/logout')
    expect((await thief.get('/devices')).status).toBe(303)
    expect((await thief.post('/queue/pause', { provider: 'fcm' })).status).toBe(401)
    expect((await other.get('/devices')).status).toBe(200)
  })

  test('has a cookie that scripts and other sites do not get, and that plain HTTP does not carry', async () => {
    const login = async (host: string) => {
      const fields = new URLSearchParams({ password: PASSWORD })
      // Node's fetch sets Host itself.
      const headers = { host, 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' }
      const outgoing = request(`${rig.server.url}/admin/login`, { method: 'POST', headers }).end(fields.toString())
      const [answer] = await once(outgoing, 'response')
      answer.resume()
      return v.parse(v.array(v.string()), answer.headers['set-cookie'])[0]
    }
    const onLoopback = await login('127.0.0.1:8000')
    expect(onLoopback).toMatch(/^centripush_admin=[^;]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/)
    const elsewhere = await login('push.example.com')
    expect(elsewhere).toMatch(
      /^__Host-centripush_admin=[^;]+; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    )
  })

  test('is never one that the client brings (session fixation)', async () => {
    const client = rig.newClient()
    client.cookies.set('centripush_admin', 'chosen-by-an-attacker')
    expect((await client.get('/devices')).status).toBe(303)
    await client.login()
    expect(client.cookies.get('centripush_admin')).not.toBe('chosen-by-an-attacker')
    const before = client.cookies.get('centripush_admin')
    await client.login(VIEWER_PASSWORD)
    expect(client.cookies.get('centripush_admin')).not.toBe(before)
  })

  test.each([
    ['another secret', { secret: 'another-secret-of-sessions', audience: 'page' }],
    ['the audience of scripts', { secret: undefined, audience: 'api' }],
  ])('is not a token with %s', async (_, { secret, audience }) => {
    const client = rig.newClient()
    const token =
      secret === undefined
        ? v.parse(v.object({ token: v.string() }), await (await client.post('/auth', { password: PASSWORD })).json())
            .token
        : await new SignJWT({ id: 'x', role: 'admin', person: '', endsAt: 4102444800 })
            .setProtectedHeader({ alg: 'HS256' })
            .setAudience(audience)
            .setIssuedAt()
            .setExpirationTime('1h')
            .sign(Buffer.from(secret))
    client.cookies.set('centripush_admin', token)
    expect((await client.get('/devices')).status).toBe(303)
  })

  test('is not a token without a signature', async () => {
    const client = rig.newClient()
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = { id: 'x', role: 'admin', person: '', endsAt: 4102444800, iat: 1, exp: 4102444800, aud: 'page' }
    client.cookies.set('centripush_admin', `${part({ alg: 'none' })}.${part(claims)}.`)
    expect((await client.get('/devices')).status).toBe(303)
  })

  test('is needed for events and for changes', async () => {
    const client = rig.newClient()
    for (const path of ['/events', '/queue/events', '/sends/events', '/send/events?uid=x']) {
      expect((await client.get(path, { accept: 'text/event-stream' })).status).toBe(401)
    }
    for (const path of CHANGES) expect((await client.post(path)).status).toBe(401)
  })
})

/** Every path that changes something. */
const CHANGES = [
  '/queue/pause',
  '/queue/resume',
  '/queue/retry',
  '/queue/drop',
  '/send/cancel',
  '/new-push/state',
  '/new-push/check',
  '/new-push/edit',
  '/new-push/send',
  '/removed-devices/restore',
  '/topics/user',
  '/devices/test-device',
  '/devices/x/token',
  '/devices/x/topics',
  '/devices/x/test',
  '/devices/x/remove',
] as const

test('a viewer gets 403 for every change', async () => {
  const viewer = await rig.loggedIn(VIEWER_PASSWORD)
  for (const path of [...CHANGES, '/anything']) expect((await viewer.post(path)).status, path).toBe(403)
  expect((await viewer.get('/new-push')).status).toBe(404)
})

test.each([
  ['of another site', { 'sec-fetch-site': 'cross-site' }],
  ['of another origin of the site', { 'sec-fetch-site': 'same-site' }],
  ['with the Origin of another site', { 'sec-fetch-site': '', origin: 'https://evil.example' }],
  ['with an opaque Origin', { 'sec-fetch-site': '', origin: 'null' }],
  ['without both headers', { 'sec-fetch-site': '' }],
])('a POST %s is refused (CSRF)', async (_, given) => {
  const client = await rig.loggedIn()
  const headers = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''))
  for (const path of ['/queue/pause', '/login', '/logout', '/theme']) {
    const cookie = [...client.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const init = { method: 'POST', headers: { cookie, ...headers }, body: new URLSearchParams({ provider: 'fcm' }) }
    expect((await fetch(`${rig.server.url}/admin${path}`, init)).status, path).toBe(403)
  }
  const pauses = await rig.database.sql`select count(*)::int as count from push_pauses`
  expect(pauses[0]?.count).toBe(0)
})

test.each([
  'https://evil.example/',
  '//evil.example/',
  '/\\evil.example',
  'javascript:alert(1)',
  '/elsewhere',
  '/adminx',
  '',
])('a login leads to the web UI and not to %s (open redirect)', async (next) => {
  const client = rig.newClient()
  expect((await client.post('/login', { password: PASSWORD, next })).headers.get('location')).toBe('/admin')
  expect((await client.post('/theme', { here: next })).headers.get('location')).toBe('/admin')
})

test('a login leads to the page that was asked for', async () => {
  const answer = await rig.newClient().post('/login', { password: PASSWORD, next: '/admin/devices?user=a' })
  expect(answer.headers.get('location')).toBe('/admin/devices?user=a')
})

describe('wrong passwords (brute force)', () => {
  test('are refused, and after five even the right one from this address', async () => {
    const client = rig.newClient()
    const address = newAddress()
    for (let attempt = 0; attempt < 5; attempt++) {
      expect((await client.post('/login', { password: 'wrong' }, address)).status).toBe(403)
    }
    const blocked = await client.post('/login', { password: PASSWORD }, address)
    expect(blocked.status).toBe(429)
    expect(Number(blocked.headers.get('retry-after'))).toBeGreaterThan(500)
    expect((await client.post('/auth', { password: PASSWORD }, address)).status).toBe(429)
    expect((await client.post('/login', { password: PASSWORD }, newAddress())).status).toBe(303)
  })

  test('are limited also when they come at once', async () => {
    const address = newAddress()
    const guesses = Array.from({ length: 50 }, (_, index) =>
      rig.newClient().post('/login', { password: `guess ${index}` }, address),
    )
    const statuses = (await Promise.all(guesses)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 403)).toHaveLength(5)
  })

  test.each(['', ' ', '\0'])('are not %j', async (password) => {
    expect((await rig.newClient().post('/login', { password }, newAddress())).status).toBe(403)
  })
})

describe('requests without a session', () => {
  /** Begins a POST whose body never ends. */
  const post = async (path: string) => {
    const headers = { 'transfer-encoding': 'chunked', 'sec-fetch-site': 'same-origin' }
    const outgoing = request(`${rig.server.url}/admin${path}`, { method: 'POST', headers })
    outgoing.on('error', () => {}).write('x'.repeat(1000))
    const [answer] = await once(outgoing, 'response')
    answer.resume()
    outgoing.destroy()
    return answer.statusCode
  }

  test('are refused before their body is read', async () => {
    for (const path of ['/queue/pause', '/new-push/send']) expect(await post(path), path).toBe(401)
  })

  test('have small bodies', async () => {
    const client = rig.newClient()
    for (const path of ['/login', '/auth', '/logout', '/theme']) {
      expect((await client.post(path, { password: 'x'.repeat(65_536) }, newAddress())).status, path).toBe(413)
    }
    const admin = await rig.loggedIn()
    expect((await admin.post('/new-push/edit', { body: 'x'.repeat(65_536) })).status).toBe(200)
    expect((await admin.post('/new-push/edit', { body: 'x'.repeat(1_048_576) })).status).toBe(413)
  })

  test('can not fill the action log with wrong links', async () => {
    const client = rig.newClient()
    const address = newAddress()
    const rows = () => rig.database.sql`select from admin_actions where address = ${address['x-forwarded-for']}`
    for (let attempt = 0; attempt < 5; attempt++) expect((await client.get('/link/x', address)).status).toBe(403)
    for (let attempt = 0; attempt < 5; attempt++) expect((await client.get('/link/x', address)).status).toBe(429)
    expect(await rows()).toHaveLength(5)
    // An image on another site would use up the attempts of its visitors.
    const visitor = newAddress()
    const foreign = { ...visitor, 'sec-fetch-site': 'cross-site' }
    for (let attempt = 0; attempt < 6; attempt++) expect((await client.get('/link/x', foreign)).status).toBe(403)
    expect((await client.post('/login', { password: PASSWORD }, visitor)).status).toBe(303)
  })
})

describe('the admin API of a node', () => {
  const Token = v.object({ token: v.string() })
  const call = (token: string, body: string) =>
    fetch(`${rig.server.url}/admin/api`, { method: 'POST', headers: { authorization: `token ${token}` }, body })

  test('gives a token for the password, which runs legacy commands', async () => {
    const client = makeClient(`${rig.server.url}/admin`)
    expect(await (await client.get('/init')).json()).toEqual({ insecure: false, edition: 'oss', authenticated: false })
    const { token } = v.parse(Token, await (await client.post('/auth', { password: PASSWORD })).json())
    const answer = await call(token, '{"method":"device_list","params":{}}')
    expect(await answer.json()).toEqual({ result: { items: [] } })
    const init = await client.get('/init', { authorization: `token ${token}` })
    expect(await init.json()).toMatchObject({ authenticated: true })
  })

  test('answers 400 to a wrong password and to that of viewers, and 401 without a token', async () => {
    const client = rig.newClient()
    expect((await client.post('/auth', { password: 'wrong' }, newAddress())).status).toBe(400)
    expect((await client.post('/auth', { password: VIEWER_PASSWORD }, newAddress())).status).toBe(400)
    expect((await call('x', '{}')).status).toBe(401)
    const cookie = (await rig.loggedIn()).cookies.get('centripush_admin') ?? ''
    expect((await call(cookie, '{}')).status).toBe(401)
  })

  test('gives no page of another site an attempt: it would use up those of its visitors', async () => {
    const visitor = newAddress()
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }]) {
      const init = { method: 'POST', headers: { ...visitor, ...headers }, body: new URLSearchParams({ password: 'x' }) }
      expect((await fetch(`${rig.server.url}/admin/auth`, init)).status).toBe(403)
    }
    const script = { method: 'POST', headers: visitor, body: new URLSearchParams({ password: PASSWORD }) }
    expect((await fetch(`${rig.server.url}/admin/auth`, script)).status).toBe(200)
  })

  test('logs each login', async () => {
    const client = rig.newClient()
    const address = newAddress()
    for (const password of [PASSWORD, 'wrong', VIEWER_PASSWORD]) await client.post('/auth', { password }, address)
    const rows = await rig.database.sql`
      select action, detail, outcome from admin_actions where address = ${address['x-forwarded-for']} order by id`
    const login = { action: 'log in', detail: 'token for scripts' }
    expect(rows).toEqual(['done', 'refused', 'refused'].map((outcome) => ({ ...login, outcome })))
  })
})

test('pages can not be framed, run no foreign code and are not stored (clickjacking)', async () => {
  const client = await rig.loggedIn()
  for (const path of ['', '/login', '/devices', '/nowhere', '/assets/admin.js']) {
    const { headers } = await client.get(path)
    expect(headers.get('x-frame-options'), path).toBe('DENY')
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/unsafe|\*|https?:/)
    expect(headers.get('cache-control')).toBe(path.startsWith('/assets') ? 'no-cache' : 'no-store')
  }
})

test('logins and refused ones are in the action log, with the address and without the password', async () => {
  const client = rig.newClient()
  await client.post('/login', { password: 'a wrong password' }, { 'x-forwarded-for': '203.0.113.9' })
  const rows = await rig.database.sql`select * from admin_actions where address = '203.0.113.9'`
  expect(rows).toMatchObject([{ action: 'log in', outcome: 'refused', role: '' }])
  expect(JSON.stringify(rows)).not.toContain('a wrong password')
})
