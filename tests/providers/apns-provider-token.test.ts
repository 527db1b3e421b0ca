import { generateKeyPairSync } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runTransaction } from '../../src/database/transaction.ts'
import { EXPIRED_PROVIDER_TOKEN } from '../../src/providers/apns/outcome.ts'
import { makeProviderTokenRules } from '../../src/providers/apns/provider-token.ts'
import { parseSigningKey, type SigningKey } from '../../src/providers/apns/signing-key.ts'
import { RenewableToken } from '../../src/providers/credential/renewable-token.ts'
import { TokenError } from '../../src/providers/credential/token-error.ts'
import type { CredentialCache } from '../../src/providers/credential-cache.ts'
import { PostgresCredentialCache } from '../../src/providers/credential-cache-postgres.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { fc } from '../support/fast-check.ts'
import { makeTestLogger } from '../support/run-log.ts'

const MINUTE_MS = 60_000
const logger = makeTestLogger()

let database: TestDatabase
let keys = 0
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

/** Makes a key for one test. Its token has a name of its own in the cache. */
function makeKey(): SigningKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return parseSigningKey(pem, `KEY${String(++keys).padStart(7, '0')}`, 'TEAM000001')
}

function setUp() {
  const clock = { nowMs: Date.parse('2026-03-01T00:00:00Z') }
  const key = makeKey()
  const cache = new PostgresCredentialCache({ runTransaction: (work) => runTransaction(database.sql, work) })
  const nowMs = () => clock.nowMs
  const open = (other: Partial<{ cache: CredentialCache }> = {}) => {
    const rules = makeProviderTokenRules({ key, cache, logger, nowMs, ...other })
    return new RenewableToken({ provider: 'apns', rules, logger, nowMs })
  }
  return { clock, key, cache, open }
}

function mintedAtMs(token: string): number {
  return (decodeJwt(token).iat ?? 0) * 1000
}

describe('the provider token', () => {
  it('contains the id of its key, the team and the time', async () => {
    const { clock, key, open } = setUp()
    const token = await open().get()
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', kid: key.keyId })
    expect(decodeJwt(token)).toEqual({ iss: 'TEAM000001', iat: clock.nowMs / 1000 })
  })

  it('is the same for concurrent callers in all processes', async () => {
    const { open } = setUp()
    const tokens = Array.from({ length: 4 }, () => open())
    const got = await Promise.all([...tokens, ...tokens].map((each) => each.get()))
    expect(new Set(got).size).toBe(1)
  })

  it('is renewed at an age of 45 minutes in any process, and used until the new one arrives', async () => {
    const { clock, open } = setUp()
    const first = await open().get()
    clock.nowMs += 44 * MINUTE_MS
    const late = open()
    expect(await late.get()).toBe(first)
    clock.nowMs += 2 * MINUTE_MS
    expect(await late.get()).toBe(first)
    await late.close()
    expect(mintedAtMs(await late.get())).toBe(clock.nowMs)
    expect(await open().get()).toBe(await late.get())
  })

  it('is never used in its last two minutes', async () => {
    const { clock, open } = setUp()
    const tokens = open()
    await tokens.get()
    clock.nowMs += 58 * MINUTE_MS
    expect(mintedAtMs(await tokens.get())).toBe(clock.nowMs)
  })

  it('is made at most three times an hour, at least 20 minutes apart, by four processes that restart', async () => {
    const step = fc.record({
      waitMs: fc.integer({ min: 0, max: 3 * MINUTE_MS }),
      process: fc.nat({ max: 3 }),
      event: fc.constantFrom('get', 'get', 'get', 'restart', 'replace'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 60 }), async (steps) => {
        const { clock, open } = setUp()
        const providers = Array.from({ length: 4 }, () => open())
        const used = new Set<string>()
        const endMs = clock.nowMs + 60 * MINUTE_MS
        for (const { waitMs, process, event } of steps) {
          clock.nowMs = Math.min(clock.nowMs + waitMs, endMs)
          if (event === 'restart') providers[process] = open()
          // A server that calls young tokens expired must not cause new ones.
          const asking = event === 'replace' ? providers : providers.filter((_, index) => index === process)
          for (const token of await Promise.all(asking.map((each) => each.get()))) {
            used.add(token)
            if (event === 'replace')
              await Promise.all(asking.map((each) => each.replace(token, EXPIRED_PROVIDER_TOKEN)))
          }
          await Promise.all(providers.map((each) => each.close()))
        }
        const times = [...used].map(mintedAtMs).sort((a, b) => a - b)
        expect(times.length).toBeLessThanOrEqual(3)
        for (const [index, time] of times.slice(1).entries()) {
          expect(time - (times[index] ?? 0)).toBeGreaterThanOrEqual(20 * MINUTE_MS - 1000)
        }
      }),
      { numRuns: 25 },
    )
  })

  it('that APNs calls expired is replaced when it is 20 minutes old, and not before', async () => {
    const { clock, open } = setUp()
    const tokens = open()
    const first = await tokens.get()
    clock.nowMs += 19 * MINUTE_MS
    expect(await tokens.replace(first, EXPIRED_PROVIDER_TOKEN)).toBeUndefined()
    expect(await tokens.get()).toBe(first)
    clock.nowMs += MINUTE_MS
    const second = (await tokens.replace(first, EXPIRED_PROVIDER_TOKEN)) ?? ''
    expect(mintedAtMs(second)).toBe(clock.nowMs)
    // Later refusals of the first token get the second one.
    expect(await tokens.replace(first, EXPIRED_PROVIDER_TOKEN)).toBe(second)
    expect(await open().replace(first, EXPIRED_PROVIDER_TOKEN)).toBe(second)
  })

  it('of another key is another one', async () => {
    const { open } = setUp()
    const other = setUp()
    expect(await other.open().get()).not.toBe(await open().get())
  })

  it('stays in use while the cache fails, and a process without a token makes none', async () => {
    const { clock, open, cache } = setUp()
    const state = { isDown: false }
    const failing: CredentialCache = {
      update: (...args) => (state.isDown ? Promise.reject(new Error('down')) : cache.update(...args)),
    }
    const tokens = open({ cache: failing })
    const first = await tokens.get()
    state.isDown = true
    clock.nowMs += 50 * MINUTE_MS
    expect(await tokens.get()).toBe(first)
    await tokens.close()
    await expect(open({ cache: failing }).get()).rejects.toBeInstanceOf(TokenError)
    state.isDown = false
    clock.nowMs += 11_000
    await tokens.get()
    await tokens.close()
    expect(mintedAtMs(await tokens.get())).toBeGreaterThan(mintedAtMs(first))
  })
})

describe('the key of provider tokens', () => {
  it.each([
    ['not PEM', 'secret-text', 'not a private key in PEM'],
    [
      'an RSA key',
      generateKeyPairSync('rsa', { modulusLength: 2048 })
        .privateKey.export({ type: 'pkcs8', format: 'pem' })
        .toString(),
      'not a key for ES256',
    ],
  ])('is refused if it is %s, with an error that does not quote it', (_what, pem, message) => {
    expect(() => parseSigningKey(pem, 'K', 'T')).toThrow(message)
    expect(() => parseSigningKey(pem, 'K', 'T')).not.toThrow(/secret|BEGIN/)
  })

  it('may be written in one line, as in an environment variable', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const fingerprint = parseSigningKey(pem, 'K', 'T').fingerprint
    expect(parseSigningKey(pem.replaceAll('\n', '\\n'), 'K', 'T').fingerprint).toBe(fingerprint)
  })
})
