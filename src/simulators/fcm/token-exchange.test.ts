import { importPKCS8, SignJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { makeServiceAccount, type SimulatedServiceAccount } from './service-account.ts'
import { TokenExchange } from './token-exchange.ts'

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging'
const AUDIENCE = 'https://oauth2.googleapis.com/token'

let account: SimulatedServiceAccount
let otherAccount: SimulatedServiceAccount

beforeAll(async () => {
  account = await makeServiceAccount('p')
  otherAccount = await makeServiceAccount('p')
})

async function exchange(tokens: TokenExchange, change: Record<string, unknown> = {}, signer = account) {
  const iat = Math.floor(Date.now() / 1000)
  const claims = { iss: account.clientEmail, scope: SCOPE, aud: AUDIENCE, iat, exp: iat + 3600, ...change }
  const { private_key: key } = JSON.parse(signer.json)
  const assertion = await new SignJWT(claims).setProtectedHeader({ alg: 'RS256' }).sign(await importPKCS8(key, 'RS256'))
  const form = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }
  const answer = await tokens.exchange(new URLSearchParams(form).toString())
  return { status: answer.status, json: JSON.parse(answer.body) }
}

describe('the simulated OAuth exchange', () => {
  it('issues a token that is accepted until it is revoked', async () => {
    const tokens = new TokenExchange({ account, lifeSeconds: 60 })
    const { status, json } = await exchange(tokens)
    expect([status, json.token_type, json.expires_in]).toEqual([200, 'Bearer', 60])
    expect(tokens.accepts(`Bearer ${json.access_token}`)).toBe(true)
    expect(tokens.accepts(`Bearer ${json.access_token}x`)).toBe(false)
    expect(tokens.accepts(undefined)).toBe(false)
    tokens.revokeAll()
    expect(tokens.accepts(`Bearer ${json.access_token}`)).toBe(false)
  })

  it('issues tokens that expire', async () => {
    const tokens = new TokenExchange({ account, lifeSeconds: 0 })
    const { json } = await exchange(tokens)
    expect(tokens.accepts(`Bearer ${json.access_token}`)).toBe(false)
  })

  it.each([
    ['another audience', { aud: 'https://example.com' }],
    ['another issuer', { iss: 'somebody@example.com' }],
    ['a scope that does not cover messaging', { scope: 'https://www.googleapis.com/auth/userinfo.email' }],
    ['an expiry in the past', { iat: 1, exp: 2 }],
    ['a lifetime of more than an hour', { exp: Math.floor(Date.now() / 1000) + 7200 }],
  ])('refuses an assertion with %s', async (_what, change) => {
    const { status, json } = await exchange(new TokenExchange({ account, lifeSeconds: 60 }), change)
    expect([status, json.error]).toEqual([400, 'invalid_grant'])
  })

  it('refuses an assertion that was signed by another key', async () => {
    const { status, json } = await exchange(new TokenExchange({ account, lifeSeconds: 60 }), {}, otherAccount)
    expect([status, json.error]).toEqual([400, 'invalid_grant'])
  })
})
