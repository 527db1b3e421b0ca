import { generateKeyPairSync } from 'node:crypto'
import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { ProviderTokenCheck } from './provider-token-check.ts'

const MINUTE_MS = 60_000
const START_MS = Date.parse('2026-03-01T00:00:00Z')
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }).toString()

function setUp() {
  const clock = { nowMs: START_MS }
  const check = new ProviderTokenCheck({ publicKeyPem, keyId: 'KEY', teamId: 'TEAM', nowMs: () => clock.nowMs })
  return { clock, check }
}

interface Claims {
  kid?: string
  iss?: string
  iatMs?: number
}

async function sign({ kid = 'KEY', iss = 'TEAM', iatMs = START_MS }: Claims, key = privateKey): Promise<string> {
  const jwt = new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid }).setIssuer(iss)
  return `bearer ${await jwt.setIssuedAt(iatMs / 1000).sign(key)}`
}

describe('a provider token', () => {
  it('is accepted for an hour', async () => {
    const { clock, check } = setUp()
    const token = await sign({})
    expect(check.refuse(token)).toBeUndefined()
    clock.nowMs += 60 * MINUTE_MS
    expect(check.refuse(token)).toBeUndefined()
    clock.nowMs += 1
    expect(check.refuse(token)).toBe('ExpiredProviderToken')
  })

  it.each([
    ['another key id', { kid: 'OTHER' }],
    ['another team', { iss: 'OTHER' }],
    ['a time in the future', { iatMs: START_MS + 10 * MINUTE_MS }],
  ])('with %s is refused', async (_what, claims) => {
    expect(setUp().check.refuse(await sign(claims))).toBe('InvalidProviderToken')
  })

  it('signed by another key, or changed after it was signed, is refused', async () => {
    const otherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    expect(setUp().check.refuse(await sign({}, otherKey))).toBe('InvalidProviderToken')
    const [header, , signature] = (await sign({})).split('.')
    const claims = Buffer.from(JSON.stringify({ iss: 'TEAM', iat: START_MS / 1000 - 1 })).toString('base64url')
    expect(setUp().check.refuse(`${header}.${claims}.${signature}`)).toBe('InvalidProviderToken')
  })

  it.each([undefined, '', 'Basic abc', 'bearer'])('is missing in %s', (authorization) => {
    expect(setUp().check.refuse(authorization)).toBe('MissingProviderToken')
  })

  it('may be updated every 20 minutes, and the previous one stays valid', async () => {
    const { clock, check } = setUp()
    const first = await sign({})
    expect(check.refuse(first)).toBeUndefined()
    clock.nowMs += 19 * MINUTE_MS
    const second = await sign({ iatMs: clock.nowMs })
    expect(check.refuse(second)).toBe('TooManyProviderTokenUpdates')
    expect(check.refuse(first)).toBeUndefined()
    clock.nowMs += MINUTE_MS
    expect(check.refuse(second)).toBeUndefined()
    expect(check.refuse(first)).toBeUndefined()
    expect(check.used).toHaveLength(2)
  })

  it('is refused while its key is revoked', async () => {
    const { check } = setUp()
    const token = await sign({})
    check.revoke()
    expect(check.refuse(token)).toBe('InvalidProviderToken')
    check.restore()
    expect(check.refuse(token)).toBeUndefined()
  })
})
