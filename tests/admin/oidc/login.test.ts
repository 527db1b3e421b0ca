// The login of the web UI at a real OpenID provider.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AdminRig, makeClient, PASSWORD } from '../admin-rig.ts'
import { type IdentityServer, startIdentityServer } from './identity-server.ts'
import { answerAs, begin, callBack, logIn, REDIRECT_URI, startOidcRig } from './oidc-rig.ts'

let identity: IdentityServer
let rig: AdminRig

beforeAll(async () => {
  identity = await startIdentityServer([REDIRECT_URI])
  rig = await startOidcRig(identity.issuer)
})

afterAll(async () => {
  await rig.stop()
  await identity.stop()
})

/** Each test has an address of its own, because failed logins count by address. */
let addresses = 0
const newAddress = () => ({ 'x-forwarded-for': `198.51.100.${++addresses}` })

const actionsOf = (address: { 'x-forwarded-for': string }) => rig.database.sql`
  select role, person, detail, outcome from admin_actions where address = ${address['x-forwarded-for']} order by id`

describe('a login at the identity provider', () => {
  test('makes an administrator of a person with the claim, whom the action log names', async () => {
    const client = rig.newClient()
    const address = newAddress()
    const answer = await logIn(client, 'ada', '/admin/devices?user=a', address)
    expect(answer.status).toBe(200)
    // Only a page of our own sends the cookie of the session, which is strict.
    expect(await answer.text()).toContain('<meta http-equiv="refresh" content="0;url=/admin/devices?user=a"/>')
    const page = await (await client.get('/devices')).text()
    expect(page).toContain('ada@example.com (ada)')
    const pause = await client.post('/queue/pause', { provider: 'fcm', reason: 'test' }, address)
    expect(pause.status).toBe(303)
    await client.post('/queue/resume', { provider: 'fcm' }, address)
    const person = { role: 'admin', person: 'ada@example.com (ada)', outcome: 'done' }
    expect(await actionsOf(address)).toMatchObject([{ ...person, detail: 'OIDC' }, person, person])
  })

  test('makes a viewer of a person with the other claim, who changes nothing', async () => {
    const client = rig.newClient()
    expect((await logIn(client, 'grace')).status).toBe(200)
    expect((await client.get('/devices')).status).toBe(200)
    expect((await client.post('/queue/pause', { provider: 'fcm', reason: 'x' })).status).toBe(403)
    expect((await client.get('/new-push')).status).toBe(404)
  })

  test('refuses a person without a claim, and logs who it was', async () => {
    const client = rig.newClient()
    const address = newAddress()
    const answer = await logIn(client, 'mallory', '', address)
    expect(answer.status).toBe(403)
    expect(await answer.text()).toContain('mallory@example.com (mallory), but this person has no access')
    expect(client.cookies.size).toBe(0)
    expect((await client.get('/devices')).status).toBe(303)
    expect(await actionsOf(address)).toEqual([
      { role: '', person: 'mallory@example.com (mallory)', detail: 'OIDC', outcome: 'refused' },
    ])
  })

  test('that the person cancels there says so', async () => {
    const answer = await logIn(rig.newClient(), 'nobody', '', newAddress())
    expect(answer.status).toBe(403)
    expect(await answer.text()).toContain('The login at Keycloak failed.')
  })

  test('ends with the logout, also for a copy of its cookie', async () => {
    const client = rig.newClient()
    await logIn(client, 'ada')
    const thief = rig.newClient()
    for (const [name, value] of client.cookies) thief.cookies.set(name, value)
    expect((await thief.get('/devices')).status).toBe(200)
    await client.post('/logout')
    expect((await thief.get('/devices')).status).toBe(303)
  })

  test('may end at another server with the same secret', async () => {
    const other = await startOidcRig(identity.issuer)
    const [here, there] = [rig.newClient(), other.newClient()]
    const url = await answerAs(await begin(here), 'ada')
    for (const [name, value] of here.cookies) there.cookies.set(name, value)
    expect((await callBack(there, url)).status).toBe(200)
    here.cookies.set('centripush_admin', there.cookies.get('centripush_admin') ?? '')
    expect((await here.get('/devices')).status).toBe(200)
    await other.stop()
  })

  test('stands beside the password', async () => {
    const client = rig.newClient()
    const form = await (await client.get('/login')).text()
    expect(form).toContain('Log in with Keycloak')
    expect(form).toContain('type="password"')
    expect((await client.login(PASSWORD)).status).toBe(303)
  })
})

describe('an attacker', () => {
  test('can not log a victim in as somebody else (login CSRF)', async () => {
    const attacker = rig.newClient()
    const ofAttacker = await answerAs(await begin(attacker), 'ada')
    const victim = rig.newClient()
    const answer = await callBack(victim, ofAttacker)
    expect(answer.status).toBe(403)
    expect(await answer.text()).toContain('Log in again at https://push.example.com')
    // Also not while the victim logs in.
    await begin(victim)
    expect((await callBack(victim, ofAttacker)).status).toBe(403)
    expect([...victim.cookies.keys()]).toEqual(['centripush_login'])
  })

  test.each([
    ['another state', 'state', 'forged'],
    ['no state', 'state', ''],
    ['two states', 'state', undefined],
  ])('gets no session with %s', async (_, name, value) => {
    const client = rig.newClient()
    const url = await answerAs(await begin(client), 'ada')
    if (value === undefined) url.searchParams.append(name, 'second')
    else if (value === '') url.searchParams.delete(name)
    else url.searchParams.set(name, value)
    expect((await callBack(client, url, newAddress())).status).toBe(403)
    expect(client.cookies.has('centripush_admin')).toBe(false)
  })

  test('can not use a code again, not even with the cookie of its login', async () => {
    const client = rig.newClient()
    const url = await answerAs(await begin(client), 'ada')
    const thief = makeClient(`${rig.server.url}/admin`)
    for (const [name, value] of client.cookies) thief.cookies.set(name, value)
    expect((await callBack(client, url)).status).toBe(200)
    expect((await callBack(client, url)).status).toBe(403)
    expect((await callBack(thief, url, newAddress())).status).toBe(403)
    expect(thief.cookies.has('centripush_admin')).toBe(false)
  })

  test('can not inject a code into a login of another browser (PKCE)', async () => {
    const stolen = await answerAs(await begin(rig.newClient()), 'ada')
    const thief = rig.newClient()
    const own = await answerAs(await begin(thief), 'mallory')
    own.searchParams.set('code', stolen.searchParams.get('code') ?? '')
    expect((await callBack(thief, own, newAddress())).status).toBe(403)
    expect(thief.cookies.has('centripush_admin')).toBe(false)
  })

  test('can not choose the session (session fixation)', async () => {
    const client = rig.newClient()
    client.cookies.set('centripush_admin', 'chosen-by-an-attacker')
    await logIn(client, 'ada')
    const first = client.cookies.get('centripush_admin')
    expect(first).not.toBe('chosen-by-an-attacker')
    await logIn(client, 'grace')
    expect(client.cookies.get('centripush_admin')).not.toBe(first)
  })

  test.each(['https://evil.example/', '//evil.example/', '/\\evil.example', 'javascript:alert(1)', '/adminx'])(
    'can not lead a login to %s (open redirect)',
    async (next) => {
      const page = await (await logIn(rig.newClient(), 'grace', next)).text()
      expect(page).toContain('content="0;url=/admin"')
      expect(page).not.toContain('evil')
    },
  )

  test('can not begin the login of a visitor of another page', async () => {
    const client = rig.newClient()
    for (const site of ['cross-site', 'same-site']) {
      const answer = await client.get('/oidc/login?next=%2Fadmin%2Fqueue', { 'sec-fetch-site': site })
      expect(answer.headers.get('location')).toBe('/admin/login?next=%2Fadmin%2Fqueue')
    }
    expect(client.cookies.size).toBe(0)
  })

  test('can not read or change the cookie of a begun login', async () => {
    const client = rig.newClient()
    const url = await answerAs(await begin(client), 'ada')
    const cookie = client.cookies.get('centripush_login') ?? ''
    expect(Buffer.from(cookie, 'base64url').toString('latin1')).not.toContain(url.searchParams.get('state') ?? '')
    client.cookies.set('centripush_login', `${cookie.slice(0, -4)}AAAA`)
    expect((await callBack(client, url)).status).toBe(403)
  })

  test('has five attempts in ten minutes, also when they come at once', async () => {
    const address = newAddress()
    const client = rig.newClient()
    const url = await answerAs(await begin(client), 'ada')
    url.searchParams.set('code', 'guessed')
    const thieves = Array.from({ length: 20 }, () => {
      const thief = rig.newClient()
      for (const [name, value] of client.cookies) thief.cookies.set(name, value)
      return thief
    })
    const answers = await Promise.all(thieves.map((thief) => callBack(thief, url, address)))
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(5)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(15)
    expect((await rig.newClient().post('/login', { password: PASSWORD }, address)).status).toBe(429)
    expect(await actionsOf(address)).toHaveLength(5)
  })

  test('can not fill the action log or use up the attempts of others with answers to no login', async () => {
    const visitor = newAddress()
    for (let attempt = 0; attempt < 6; attempt++) {
      expect((await rig.newClient().get('/oidc/callback?code=x&state=y', visitor)).status).toBe(403)
    }
    expect(await actionsOf(visitor)).toEqual([])
    expect((await rig.newClient().post('/login', { password: PASSWORD }, visitor)).status).toBe(303)
  })
})
