// The push methods over HTTP with a connection JWT.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { makeTokenCheck, type TokenOptions } from '../../src/realtime/connection-token.ts'
import { clientError, JWT_SECRET, RealtimeRig, readId, signToken } from './realtime-rig.ts'

const rig = new RealtimeRig()
const HOUR = 3600
const nowSeconds = () => Math.floor(Date.now() / 1000)
const ACK = { uids: ['m1'] }
const UNAUTHORIZED = clientError(101, 'unauthorized')

test('the methods of the RPC proxy work with a token, and their results have no data member', async () => {
  const token = await signToken({ sub: '42', exp: nowSeconds() + HOUR })
  const answer = await rig.http('ack', token, ACK)
  expect([answer.status, await answer.json()]).toEqual([200, { result: {} }])
  const phone = { provider: 'fcm', platform: 'android', token: 'phone-over-http' }
  const id = readId(await (await rig.http('device_register', token, phone)).json())
  expect(await rig.api('device_list', { filter: { ids: [id] } })).toMatchObject({ result: { items: [{ user: '42' }] } })
  expect(await (await rig.http('device_remove', token, { id })).json()).toEqual({ result: {} })
})

describe('a token', () => {
  const refused: [string, () => Promise<string> | string][] = [
    ['with alg none', () => new UnsecuredJWT({ sub: '42' }).encode()],
    ['with alg NONE', async () => `${btoa('{"alg":"NONE"}')}.${btoa('{"sub":"42"}')}.`],
    ['that is signed with another secret', () => signToken({ sub: '42' }, 'another-secret')],
    ['that is changed', async () => forge(await signToken({ sub: '42' }), { sub: '43' })],
    ['without its signature', async () => (await signToken({ sub: '42' })).replace(/[^.]*$/, '')],
    ['that is not one', () => 'nothing'],
    ['of one part', () => 'e30'],
  ]
  test.each(refused)('is refused %s', async (_, makeToken) => {
    const answer = await rig.http('ack', await makeToken(), ACK)
    expect([answer.status, answer.headers.get('www-authenticate'), await answer.json()]).toEqual([
      401,
      'Bearer',
      UNAUTHORIZED,
    ])
  })

  test('that has expired gets an error of its own, so that the client asks for a new one', async () => {
    const answer = await rig.http('ack', await signToken({ sub: '42', exp: nowSeconds() - 1 }), ACK)
    expect([answer.status, await answer.json()]).toEqual([401, clientError(109, 'token expired')])
  })

  test('is refused before its time', async () => {
    const answer = await rig.http('ack', await signToken({ sub: '42', nbf: nowSeconds() + HOUR }), ACK)
    expect(answer.status).toBe(401)
  })

  test('without a user is anonymous, and may call nothing', async () => {
    const answer = await rig.http('ack', await signToken({ exp: nowSeconds() + HOUR }), ACK)
    expect([answer.status, await answer.json()]).toEqual([200, clientError(103, 'permission denied')])
  })

  test('is needed: neither the API key nor the key of the proxy replaces it', async () => {
    const headers = { 'x-api-key': 'test-key', 'x-centripush-proxy-key': 'key-of-the-proxy' }
    const answer = await fetch(`${rig.url}/push/ack`, { method: 'POST', headers, body: JSON.stringify(ACK) })
    expect(answer.status).toBe(401)
  })
})

/** The token with other claims and the same signature. */
function forge(token: string, claims: object): string {
  const [head, , signature] = token.split('.')
  return [head, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.')
}

describe('the keys of client.token', () => {
  const none: TokenOptions = {
    hmacSecret: undefined,
    previousHmacSecret: undefined,
    rsaPublicKey: undefined,
    ecdsaPublicKey: undefined,
    jwksEndpoint: undefined,
    audience: undefined,
    issuer: undefined,
    userClaim: 'sub',
  }
  const sign = (alg: string, key: Parameters<SignJWT['sign']>[0], claims: object = {}, kid?: string) =>
    new SignJWT({ sub: '42', ...claims }).setProtectedHeader({ alg, ...(kid !== undefined && { kid }) }).sign(key)
  const invalid = expect.objectContaining({ problem: 'invalid' })
  const user42 = { user: '42' }

  test.each(['RS256', 'RS512', 'ES256', 'ES384', 'ES512'])(
    'a public key verifies %s, and only its own kind',
    async (alg) => {
      const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
      const pem = await exportSPKI(publicKey)
      const verify = makeTokenCheck(
        alg.startsWith('RS') ? { ...none, rsaPublicKey: pem } : { ...none, ecdsaPublicKey: pem },
      )
      expect(await verify(await sign(alg, privateKey))).toEqual(user42)
      const other = await generateKeyPair(alg)
      expect(await verify(await sign(alg, other.privateKey))).toEqual(invalid)
      // The public key is no secret: as a secret of HMAC it must not verify anything.
      expect(await verify(await sign('HS256', new TextEncoder().encode(pem)))).toEqual(invalid)
    },
  )

  test('the previous secret is accepted until its time', async () => {
    const token = await signToken({ sub: '42' }, 'previous-secret')
    const rotated = { ...none, hmacSecret: JWT_SECRET }
    const until = (untilMs: number) => ({ ...rotated, previousHmacSecret: { secret: 'previous-secret', untilMs } })
    expect(await makeTokenCheck(rotated)(token)).toEqual(invalid)
    expect(await makeTokenCheck(until(Date.now() + 60_000))(token)).toEqual(user42)
    expect(await makeTokenCheck(until(Date.now() - 1))(token)).toEqual(invalid)
  })

  test.each([
    ['the audience', { aud: 'app' }, { audience: 'app' }, true],
    ['one of several audiences', { aud: ['x', 'app'] }, { audience: 'app' }, true],
    ['another audience', { aud: 'admin' }, { audience: 'app' }, false],
    ['no audience', {}, { audience: 'app' }, false],
    ['the issuer', { iss: 'me' }, { issuer: 'me' }, true],
    ['another issuer', { iss: 'you' }, { issuer: 'me' }, false],
    ['no issuer', {}, { issuer: 'me' }, false],
  ])('a token with %s', async (_, claims, options, isValid) => {
    const verify = makeTokenCheck({ ...none, hmacSecret: JWT_SECRET, ...options })
    expect(await verify(await signToken({ sub: '42', ...claims }))).toEqual(isValid ? user42 : invalid)
  })

  test('the claim of the user can be another one', async () => {
    const verify = makeTokenCheck({ ...none, hmacSecret: JWT_SECRET, userClaim: 'uid' })
    expect(await verify(await signToken({ sub: '42', uid: '7' }))).toEqual({ user: '7' })
    expect(await verify(await signToken({ sub: '42', uid: 7 }))).toEqual(invalid)
  })

  test('a key set verifies by the id of the key; while it is not served, tokens are not called invalid', async () => {
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true })
    const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }] }
    let isServed = false
    let reads = 0
    const server = createServer((_, outgoing) => {
      reads++
      outgoing.writeHead(isServed ? 200 : 500).end(JSON.stringify(keys))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    try {
      const verify = makeTokenCheck({ ...none, jwksEndpoint: `http://127.0.0.1:${port}/jwks`, hmacSecret: JWT_SECRET })
      const token = await sign('RS256', privateKey, {}, 'k1')
      expect(await verify(token)).toMatchObject({ problem: 'unavailable' })
      isServed = true
      expect(await verify(token)).toEqual(user42)
      // Tokens with invented ids of keys do not make this server flood the one of the key set.
      const invented = ['k2', 'k3', 'k4'].map(async (kid) => verify(await sign('RS256', privateKey, {}, kid)))
      expect(await Promise.all(invented)).toEqual([invalid, invalid, invalid])
      expect(reads).toBe(2)
      // With a key set the other keys are not used, as in the node.
      expect(await verify(await signToken({ sub: '42' }))).toEqual(invalid)
    } finally {
      server.close()
      server.closeAllConnections()
    }
  })
})

describe('a web page', () => {
  const preflight = (origin: string) =>
    fetch(`${rig.url}/push/ack`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    })

  test('of an allowed origin may call, with its token', async () => {
    const origin = 'https://app.example.com'
    const asked = await preflight(origin)
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, origin])
    expect(asked.headers.get('access-control-allow-headers')).toBe('authorization, content-type')
    expect(asked.headers.get('access-control-allow-credentials')).toBeNull()
    const answer = await rig.http('ack', await signToken({ sub: '42' }), ACK, { origin })
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, origin])
    expect(answer.headers.get('vary')).toBe('Origin')
  })

  // No host name is as long as the last one.
  const long = `https://${'a.'.repeat(200)}example.com`
  test.each(['https://example.com.evil.net', 'http://app.example.com', 'null', long])(
    'of %s may not',
    async (origin) => {
      const asked = await preflight(origin)
      expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([403, null])
      const answer = await rig.http('ack', await signToken({ sub: '42' }), ACK, { origin })
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([403, null])
    },
  )
})

test('other methods of HTTP, bodies that are not JSON and unknown paths have their usual answers', async () => {
  const token = await signToken({ sub: '42' })
  const send = (path: string, init: RequestInit) =>
    fetch(`${rig.url}${path}`, { headers: { authorization: `Bearer ${token}` }, ...init })
  expect((await send('/push/ack', { method: 'GET' })).status).toBe(405)
  expect(await (await send('/push/ack', { method: 'POST', body: '{' })).json()).toEqual(clientError(107, 'bad request'))
  expect(await (await send('/push/other', { method: 'POST' })).json()).toEqual(clientError(104, 'not found'))
  expect((await send('/push', { method: 'POST' })).status).toBe(404)
})
