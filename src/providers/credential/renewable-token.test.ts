import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { fc } from '../../../tests/support/fast-check.ts'
import { RenewableToken, type Token } from './renewable-token.ts'
import { TokenError } from './token-error.ts'

const RENEW_AFTER_MS = 55_000
const END_AFTER_MS = 60_000
const logger = pino({ level: 'silent' })

interface Endpoint {
  nowMs: number
  /** The number of calls of `obtain`, and of those that run at this time. */
  calls: number
  running: number
  fails: boolean
  /** Whether `obtain` returns the previous token again. */
  repeats: boolean
}

/** A token that lasts a minute, from an endpoint that the test controls. Only the refusal `expired` is replaceable. */
function setUp(keepsRefused: boolean) {
  const endpoint: Endpoint = { nowMs: 0, calls: 0, running: 0, fails: false, repeats: false }
  const refusals: (string | undefined)[] = []
  let last: Token | undefined
  const obtain = async (refused: string | undefined): Promise<Token> => {
    endpoint.calls++
    refusals.push(refused)
    expect(++endpoint.running).toBe(1)
    const { nowMs, calls } = endpoint
    await new Promise(setImmediate)
    endpoint.running--
    if (endpoint.fails) throw new TokenError('oauth_unavailable')
    if (!endpoint.repeats || !last) {
      last = { text: `token ${calls}`, renewAtMs: nowMs + RENEW_AFTER_MS, endsAtMs: nowMs + END_AFTER_MS }
    }
    return last
  }
  const rules = { obtain, isReplaceable: (reason: string) => reason === 'expired', keepsRefused }
  return {
    endpoint,
    refusals,
    tokens: new RenewableToken({ provider: 'fcm', rules, logger, nowMs: () => endpoint.nowMs }),
  }
}

describe.each([
  ['that is forgotten once it is refused', false],
  ['that is kept when it is refused', true],
])('a token %s', (_name, keepsRefused) => {
  it('is obtained once for all concurrent callers', async () => {
    const { endpoint, tokens } = setUp(keepsRefused)
    expect(await Promise.all([tokens.get(), tokens.get(), tokens.get()])).toEqual(['token 1', 'token 1', 'token 1'])
    expect(endpoint.calls).toBe(1)
  })

  it('is renewed in the background before its end, and used until the new one arrives', async () => {
    const { endpoint, tokens } = setUp(keepsRefused)
    await tokens.get()
    endpoint.nowMs = RENEW_AFTER_MS - 1
    expect(await tokens.get()).toBe('token 1')
    expect(endpoint.calls).toBe(1)
    endpoint.nowMs = RENEW_AFTER_MS
    expect(await tokens.get()).toBe('token 1')
    await tokens.close()
    expect(await tokens.get()).toBe('token 2')
  })

  it('stays in use while renewals fail, which are repeated every ten seconds at most, until its end', async () => {
    const { endpoint, tokens } = setUp(keepsRefused)
    await tokens.get()
    endpoint.fails = true
    for (endpoint.nowMs = RENEW_AFTER_MS; endpoint.nowMs < END_AFTER_MS; endpoint.nowMs += 1000) {
      expect(await tokens.get()).toBe('token 1')
      await tokens.close()
    }
    expect(endpoint.calls).toBe(2)
    await expect(tokens.get()).rejects.toMatchObject({ reason: 'oauth_unavailable' })
  })

  it('is replaced once for all batches that were refused with it', async () => {
    const { endpoint, refusals, tokens } = setUp(keepsRefused)
    const first = await tokens.get()
    const replace = () => tokens.replace(first, 'expired')
    expect(await Promise.all([replace(), replace()])).toEqual(['token 2', 'token 2'])
    expect(await replace()).toBe('token 2')
    expect(await tokens.get()).toBe('token 2')
    expect(endpoint.calls).toBe(2)
    expect(refusals).toEqual([undefined, first])
  })

  it('is not replaced after a refusal for another reason', async () => {
    const { endpoint, tokens } = setUp(keepsRefused)
    const first = await tokens.get()
    expect(await tokens.replace(first, 'wrong key')).toBeUndefined()
    expect(await tokens.get()).toBe(first)
    expect(endpoint.calls).toBe(1)
  })
})

it('a forgotten token is not used while its replacement fails', async () => {
  const { endpoint, tokens } = setUp(false)
  const first = await tokens.get()
  endpoint.fails = true
  await expect(tokens.replace(first, 'expired')).rejects.toBeInstanceOf(TokenError)
  await expect(tokens.get()).rejects.toBeInstanceOf(TokenError)
})

it('a forgotten token is used again if the endpoint returns it again', async () => {
  const { endpoint, tokens } = setUp(false)
  const first = await tokens.get()
  endpoint.repeats = true
  expect(await tokens.replace(first, 'expired')).toBe(first)
  expect(await tokens.get()).toBe(first)
})

it('a kept token stays in use while its replacement fails', async () => {
  const { endpoint, tokens } = setUp(true)
  const first = await tokens.get()
  endpoint.fails = true
  await expect(tokens.replace(first, 'expired')).rejects.toBeInstanceOf(TokenError)
  expect(await tokens.get()).toBe(first)
})

it('a kept token has no replacement if the rules return it again', async () => {
  const { endpoint, tokens } = setUp(true)
  const first = await tokens.get()
  endpoint.repeats = true
  expect(await tokens.replace(first, 'expired')).toBeUndefined()
  expect(await tokens.get()).toBe(first)
})

/** The expected state of the token, without concurrency: a renewal in the background ends at once. */
class Model {
  token: Token | undefined
  nextBackgroundRenewalMs = 0
  calls = 0
  readonly keepsRefused: boolean

  constructor(keepsRefused: boolean) {
    this.keepsRefused = keepsRefused
  }

  renew({ nowMs, fails }: Endpoint): string {
    this.calls++
    if (fails) return 'error'
    const text = `token ${this.calls}`
    this.token = { text, renewAtMs: nowMs + RENEW_AFTER_MS, endsAtMs: nowMs + END_AFTER_MS }
    return text
  }

  get(endpoint: Endpoint): string {
    const { nowMs } = endpoint
    const token = this.token
    if (!token || nowMs >= token.endsAtMs) return this.renew(endpoint)
    if (nowMs >= token.renewAtMs && nowMs >= this.nextBackgroundRenewalMs) {
      this.nextBackgroundRenewalMs = nowMs + 10_000
      this.renew(endpoint)
    }
    return token.text
  }

  replace(refused: string, endpoint: Endpoint): string {
    if (this.token && this.token.text !== refused) return this.get(endpoint)
    if (!this.keepsRefused) this.token = undefined
    return this.renew(endpoint)
  }
}

it('a token behaves as its model in any order of events', async () => {
  const step = fc.record({
    waitMs: fc.integer({ min: 0, max: 20_000 }),
    fails: fc.boolean(),
    event: fc.constantFrom('get', 'get', 'refused now', 'refused late'),
  })
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(step, { minLength: 5, maxLength: 40 }), async (keepsRefused, steps) => {
      const { endpoint, tokens } = setUp(keepsRefused)
      const model = new Model(keepsRefused)
      const used = ['a token of an earlier process']
      for (const { waitMs, fails, event } of steps) {
        endpoint.nowMs += waitMs
        endpoint.fails = fails
        const refused = (event === 'refused now' ? used.at(-1) : used.at(-2)) ?? ''
        const expected = event === 'get' ? model.get(endpoint) : model.replace(refused, endpoint)
        const got = event === 'get' ? tokens.get() : tokens.replace(refused, 'expired')
        expect(await got.catch(() => 'error')).toBe(expected)
        await tokens.close()
        expect(endpoint.calls).toBe(model.calls)
        if (expected !== 'error' && expected !== used.at(-1)) used.push(expected)
      }
    }),
  )
})
