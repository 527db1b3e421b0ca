import { describe, expect, it } from 'vitest'
import { makeAccessTokenRules } from './access-token.ts'

const MINUTE_MS = 60_000

function rulesAt(nowMs: number, lifeMs: number) {
  return makeAccessTokenRules(
    async (atMs) => ({ accessToken: `made at ${atMs}`, lifeMs }),
    () => nowMs,
  )
}

describe('the rules for access tokens', () => {
  it.each([
    ['an hour', 60 * MINUTE_MS, 55 * MINUTE_MS],
    ['eight minutes', 8 * MINUTE_MS, 4 * MINUTE_MS],
    ['half a minute', MINUTE_MS / 2, MINUTE_MS / 4],
  ])('renew a token of %s before its end', async (_life, lifeMs, renewAfterMs) => {
    expect(await rulesAt(1000, lifeMs).obtain(undefined)).toEqual({
      text: 'made at 1000',
      renewAtMs: 1000 + renewAfterMs,
      endsAtMs: 1000 + lifeMs - 15_000,
    })
  })

  it('replace a refused token, whatever the reason of the refusal is', () => {
    const { isReplaceable, keepsRefused } = rulesAt(0, MINUTE_MS)
    expect([isReplaceable('HTTP_401'), isReplaceable('80200003'), keepsRefused]).toEqual([true, true, false])
  })
})
