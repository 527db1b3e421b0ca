import { importJWK, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { makeVapidKeys, readVapidKeys } from './vapid-keys.ts'
import { VapidTokens } from './vapid-tokens.ts'

const HOUR_MS = 3_600_000
const pair = makeVapidKeys()
const subject = 'mailto:push@example.com'

async function claimsOf(authorization: string, nowMs: number) {
  const [, token = '', key = ''] = /^vapid t=([^,]+), k=(.+)$/.exec(authorization) ?? []
  const point = Buffer.from(key, 'base64url')
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((bytes) => bytes.toString('base64url'))
  const options = { algorithms: ['ES256'], currentDate: new Date(nowMs) }
  const verified = await jwtVerify(
    token,
    await importJWK({ kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '', alg: 'ES256' }),
    options,
  )
  return { key, payload: verified.payload }
}

describe('the VAPID token', () => {
  it('is signed with our key, for one origin, for half a day', async () => {
    const nowMs = Date.parse('2026-03-01T00:00:00Z')
    const tokens = new VapidTokens({ keys: readVapidKeys(pair.publicKey, pair.privateKey), subject })
    const { key, payload } = await claimsOf(tokens.authorizationFor('https://push.example.com', nowMs), nowMs)
    expect(key).toBe(pair.publicKey)
    expect(payload).toEqual({ aud: 'https://push.example.com', exp: (nowMs + 12 * HOUR_MS) / 1000, sub: subject })
  })

  it('is signed once for each origin, and again after half of its lifetime', () => {
    const tokens = new VapidTokens({ keys: readVapidKeys(pair.publicKey, pair.privateKey), subject })
    const first = tokens.authorizationFor('https://a.example.com', 0)
    expect(tokens.authorizationFor('https://a.example.com', 6 * HOUR_MS - 1)).toBe(first)
    expect(tokens.authorizationFor('https://b.example.com', 0)).not.toBe(first)
    expect(tokens.authorizationFor('https://a.example.com', 6 * HOUR_MS)).not.toBe(first)
  })
})

describe('VAPID keys', () => {
  it('match each other when they were made together', () => {
    for (let i = 0; i < 300; i++) {
      const { publicKey, privateKey } = makeVapidKeys()
      expect(Buffer.from(privateKey, 'base64url')).toHaveLength(32)
      expect(readVapidKeys(publicKey, privateKey).publicKey).toBe(publicKey)
    }
  })

  it('may also be written as base64', () => {
    const base64 = (text: string) => Buffer.from(text, 'base64url').toString('base64')
    expect(readVapidKeys(base64(pair.publicKey), base64(pair.privateKey)).publicKey).toBe(pair.publicKey)
  })

  it.each([
    ['another public key', makeVapidKeys().publicKey, pair.privateKey, 'vapid_public_key: does not belong'],
    ['a private key in its place', pair.privateKey, pair.privateKey, 'vapid_public_key: is not a key'],
    ['a PEM text', pair.publicKey, '-----BEGIN PRIVATE KEY-----', 'vapid_private_key: is not a key'],
    ['zero', pair.publicKey, Buffer.alloc(32).toString('base64url'), 'vapid_private_key: is not a key of P-256'],
  ])('are refused for %s, without quoting them', (_what, publicKey, privateKey, message) => {
    expect(() => readVapidKeys(publicKey, privateKey)).toThrow(message)
    expect(() => readVapidKeys(publicKey, privateKey)).not.toThrow(privateKey)
  })
})
