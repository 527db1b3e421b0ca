import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { AccessTokenError, AccessTokens } from './access-tokens.ts'

const HOUR_MS = 3_600_000

/** Tokens that hold for an hour, at a time that the test sets. */
function setUp() {
  const state = { nowMs: 0, exchanges: 0, fails: false }
  const tokens = new AccessTokens({
    provider: 'fcm',
    exchange: async () => {
      state.exchanges++
      if (state.fails) throw new AccessTokenError('unavailable')
      return { accessToken: `token ${state.exchanges}`, lifeMs: HOUR_MS }
    },
    logger: pino({ level: 'silent' }),
    nowMs: () => state.nowMs,
  })
  return { state, tokens }
}

describe('the access token', () => {
  it('is fetched once for all who ask at the same time', async () => {
    const { state, tokens } = setUp()
    expect(await Promise.all([tokens.get(), tokens.get(), tokens.get()])).toEqual(['token 1', 'token 1', 'token 1'])
    expect(state.exchanges).toBe(1)
  })

  it('is renewed in its last five minutes, and used until the new one is there', async () => {
    const { state, tokens } = setUp()
    await tokens.get()
    state.nowMs = HOUR_MS - 6 * 60_000
    expect(await tokens.get()).toBe('token 1')
    expect(state.exchanges).toBe(1)
    state.nowMs = HOUR_MS - 4 * 60_000
    expect(await tokens.get()).toBe('token 1')
    await tokens.close()
    expect(await tokens.get()).toBe('token 2')
  })

  it('outlasts an outage of the endpoint, which is asked again every ten seconds at most', async () => {
    const { state, tokens } = setUp()
    await tokens.get()
    state.fails = true
    state.nowMs = HOUR_MS - 4 * 60_000
    for (let i = 0; i < 5; i++) {
      expect(await tokens.get()).toBe('token 1')
      await tokens.close()
    }
    expect(state.exchanges).toBe(2)
    state.nowMs = HOUR_MS
    await expect(tokens.get()).rejects.toMatchObject({ kind: 'unavailable' })
  })

  it('is replaced after it was dropped, but not because of an older one', async () => {
    const { tokens } = setUp()
    const first = await tokens.get()
    tokens.drop(first)
    expect(await tokens.get()).toBe('token 2')
    tokens.drop(first)
    expect(await tokens.get()).toBe('token 2')
  })
})
