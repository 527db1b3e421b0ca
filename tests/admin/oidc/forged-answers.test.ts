// Answers of an OpenID provider that is broken, or of an attacker in its place.
import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { AdminRig, Client } from '../admin-rig.ts'
import { type Forgery, type ForgingServer, startForgingServer } from './forging-server.ts'
import { CLIENT_ID } from './identity-server.ts'
import { begin, callBack, REDIRECT_URI, startOidcRig } from './oidc-rig.ts'

let server: ForgingServer
let rig: AdminRig

beforeAll(async () => {
  server = await startForgingServer()
  rig = await startOidcRig(server.issuer)
})

afterEach(() => {
  server.forgery = {}
})

afterAll(async () => {
  await rig.stop()
  await server.stop()
})

let addresses = 0
const newAddress = () => ({ 'x-forwarded-for': `198.51.100.${++addresses}` })

/** A login whose answer is forged. @param query replaces parameters of the callback; undefined leaves one out */
async function logInWith(
  forgery: Forgery,
  query: Record<string, string | undefined> = {},
  client: Client = rig.newClient(),
) {
  server.forgery = forgery
  const url = await begin(client)
  server.allow(url.searchParams.get('nonce') ?? '')
  const parameters = { code: 'code', state: url.searchParams.get('state') ?? '', iss: server.issuer, ...query }
  const answered = new URL(REDIRECT_URI)
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined) answered.searchParams.set(name, value)
  const answer = await callBack(client, answered, newAddress())
  return { answer, client, url }
}

const seconds = () => Math.floor(Date.now() / 1000)

test('an answer that is not forged logs in', async () => {
  const { answer, client } = await logInWith({})
  expect(answer.status).toBe(200)
  expect(client.cookies.has('centripush_admin')).toBe(true)
})

describe('no session begins with', () => {
  const attacker = Buffer.from('a-key-that-the-attacker-has-chosen')
  test.each<[string, Forgery]>([
    ['an ID token for another client', { claims: { aud: 'another-client' } }],
    ['an ID token for several clients that was given to another one', { claims: { aud: [CLIENT_ID, 'b'], azp: 'b' } }],
    ['an ID token of another issuer', { claims: { iss: 'https://evil.example' } }],
    ['an expired ID token', { claims: { iat: seconds() - 7200, exp: seconds() - 3600 } }],
    ['an ID token that is not valid yet', { claims: { nbf: seconds() + 3600 } }],
    ['an ID token without an expiry', { claims: { exp: undefined } }],
    ['an ID token of another login', { claims: { nonce: 'another' } }],
    ['an ID token without a nonce', { claims: { nonce: undefined } }],
    ['an ID token without a subject', { claims: { sub: undefined } }],
    ['an ID token without a signature', { sign: (claims) => new UnsecuredJWT(claims).encode() }],
    [
      'an ID token with the signature of an attacker',
      {
        sign: async (claims) => {
          const { privateKey } = await generateKeyPair('RS256')
          return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'key' }).sign(privateKey)
        },
      },
    ],
    [
      'an ID token with a symmetric signature',
      { sign: (claims) => new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(attacker) },
    ],
    ['claims of another type', { claims: { groups: 'push-admins' } }],
    ['no claims for the rules', { claims: { groups: undefined } }],
    ['a refused code', { error: { status: 400, body: { error: 'invalid_grant' } } }],
    ['a refused client', { error: { status: 401, body: { error: 'invalid_client' } } }],
    ['tokens without an ID token', { error: { status: 200, body: { access_token: 'a', token_type: 'bearer' } } }],
  ])('%s', async (_, forgery) => {
    const { answer, client } = await logInWith(forgery)
    expect(answer.status).toBe(403)
    expect(client.cookies.has('centripush_admin')).toBe(false)
  })

  test.each([
    ['an answer of another issuer (mix-up)', { iss: 'https://evil.example' }],
    ['an answer without its issuer', { iss: undefined }],
    ['an answer without a code', { code: undefined }],
    ['an error', { code: undefined, error: 'access_denied' }],
    ['an ID token in the answer itself', { code: undefined, id_token: 'x.y.z' }],
  ])('%s, and no code is exchanged', async (_, query) => {
    const before = server.exchanges.length
    const { answer, client } = await logInWith({}, query)
    expect(answer.status).toBe(403)
    expect(client.cookies.has('centripush_admin')).toBe(false)
    expect(server.exchanges.length).toBe(before)
  })
})

test('the code is exchanged with the secret of PKCE and the address of the callback', async () => {
  const { url } = await logInWith({})
  const exchange = server.exchanges.at(-1)
  expect(url.searchParams.get('code_challenge_method')).toBe('S256')
  const verifier = Buffer.from(exchange?.get('code_verifier') ?? '')
  const digest = await crypto.subtle.digest('SHA-256', verifier)
  expect(url.searchParams.get('code_challenge')).toBe(Buffer.from(digest).toString('base64url'))
  expect(exchange?.get('redirect_uri')).toBe(REDIRECT_URI)
  expect(url.searchParams.get('scope')).toBe('openid email groups')
  for (const name of ['state', 'nonce']) expect(url.searchParams.get(name)?.length).toBeGreaterThan(40)
})

test('a name that the person has chosen can not imitate another person or inject markup', async () => {
  const { client } = await logInWith({ claims: { sub: 'mallory', email: '<img src=x onerror=alert(1)>' } })
  const page = await (await client.get('/devices')).text()
  expect(page).toContain('&lt;img src=x onerror=alert(1)&gt; (mallory)')
  const long = await logInWith({ claims: { email: 'x'.repeat(100_000) } })
  expect((await long.client.get('/devices')).status).toBe(200)
})

test('an identity provider that is down blocks nobody', async () => {
  const other = await startForgingServer()
  const affected = await startOidcRig(other.issuer)
  await other.stop()
  for (let attempt = 0; attempt < 7; attempt++) {
    const answer = await affected.newClient().get('/oidc/login')
    expect(answer.status).toBe(503)
    expect(await answer.text()).toContain('Keycloak can not be used now.')
  }
  expect((await affected.loggedIn()).cookies.size).toBe(1)
  await affected.stop()
})

test('an identity provider with another issuer is not used, and works without a restart when it has ours', async () => {
  const other = await startForgingServer()
  other.forgery = { metadata: { issuer: 'https://evil.example' } }
  const affected = await startOidcRig(other.issuer)
  expect((await affected.newClient().get('/oidc/login')).status).toBe(503)
  other.forgery = {}
  expect((await affected.newClient().get('/oidc/login')).status).toBe(303)
  await affected.stop()
  await other.stop()
})

test('a change of a rule ends all sessions', async () => {
  const { client } = await logInWith({})
  const changed = await startOidcRig(server.issuer, { access_cel: 'false' })
  try {
    const same = changed.newClient()
    for (const [name, value] of client.cookies) same.cookies.set(name, value)
    expect((await same.get('/devices')).status).toBe(303)
  } finally {
    await changed.stop()
  }
})

test('an audience besides the client is needed when it is configured', async () => {
  const strict = await startOidcRig(server.issuer, { audience: 'push' })
  try {
    const without = await logInWith({}, {}, strict.newClient())
    expect(without.answer.status).toBe(403)
    const both = { claims: { aud: [CLIENT_ID, 'push'], azp: CLIENT_ID } }
    expect((await logInWith(both, {}, strict.newClient())).answer.status).toBe(200)
  } finally {
    await strict.stop()
  }
})
