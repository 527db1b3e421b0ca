import { describe, expect, it } from 'vitest'
import type { Outcome } from '../provider.ts'
import type { TokenSource } from './renewable-token.ts'
import { sendWithToken } from './send-with-token.ts'
import { TokenError, type TokenErrorReason } from './token-error.ts'

const REFUSAL = { kind: 'credential', reason: 'refused' } as const
const SENT = { kind: 'sent', messageId: '' } as const

interface Script {
  /** The error instead of the first token; undefined: the first token is obtained. */
  first?: TokenErrorReason
  /** The token after a refusal: an error, a new token, or the refused one again (`same`). */
  next?: TokenErrorReason | 'new' | 'same'
  /** The indices of the targets that are refused with the first token, and with the second one. */
  refused?: readonly [number[], number[]]
}

async function tokenOr(reason: TokenErrorReason | undefined, token: string | undefined) {
  if (reason !== undefined) throw new TokenError(reason)
  return token
}

function makeTokens({ first, next = 'new' }: Script): TokenSource {
  const isThere = next === 'new' || next === 'same'
  return {
    current: () => undefined,
    get: async () => (await tokenOr(first, 'first')) ?? '',
    replace: () => tokenOr(isThere ? undefined : next, next === 'new' ? 'second' : undefined),
    close: async () => {},
  }
}

/** Sends to four targets as the script says. Returns the targets of each attempt, and the outcome of each target. */
async function run(script: Script, signal = new AbortController().signal) {
  const attempts: string[] = []
  const outcomes: (Outcome | undefined)[] = [undefined, undefined, undefined, undefined]
  const settle = (index: number, outcome: Outcome) => {
    expect(outcomes[index]).toBeUndefined()
    outcomes[index] = outcome
  }
  await sendWithToken({
    tokens: makeTokens(script),
    indices: [0, 1, 2, 3],
    settle,
    signal,
    minRetryDelayMs: 10_000,
    attempt: async (indices, token, refused) => {
      attempts.push(`${token}: ${indices.join(' ')}`)
      const refusedNow = script.refused?.[token === 'first' ? 0 : 1] ?? []
      for (const index of indices) {
        if (refusedNow.includes(index)) {
          refused.outcome ??= REFUSAL
          refused.indices.push(index)
        } else settle(index, SENT)
      }
    },
  })
  return { attempts, outcomes }
}

const retry = (reason: string) => ({ kind: 'retry', reason, minDelayMs: 10_000 })

describe('a send under a token', () => {
  it.each<[string, Script, string[], unknown[]]>([
    ['that is accepted is one attempt', {}, ['first: 0 1 2 3'], [SENT, SENT, SENT, SENT]],
    [
      'that is refused for some targets repeats those under another token',
      { refused: [[1, 3], []] },
      ['first: 0 1 2 3', 'second: 1 3'],
      [SENT, SENT, SENT, SENT],
    ],
    [
      'whose replacement is refused too reports the refusal and makes no third attempt',
      { refused: [[1, 3], [3]] },
      ['first: 0 1 2 3', 'second: 1 3'],
      [SENT, SENT, SENT, REFUSAL],
    ],
    [
      'that is refused and has no replacement reports the refusal without another attempt',
      { refused: [[1, 3], []], next: 'same' },
      ['first: 0 1 2 3'],
      [SENT, REFUSAL, SENT, REFUSAL],
    ],
    [
      'that cannot be replaced for the moment has the refused targets retried later',
      { refused: [[1, 3], []], next: 'credential_cache_unavailable' },
      ['first: 0 1 2 3'],
      [SENT, retry('credential_cache_unavailable'), SENT, retry('credential_cache_unavailable')],
    ],
    [
      'that cannot be obtained for the moment has all targets retried later',
      { first: 'oauth_unavailable' },
      [],
      Array(4).fill(retry('oauth_unavailable')),
    ],
    [
      'of an account that is refused reports a refused credential for all targets',
      { first: 'oauth_refused' },
      [],
      Array(4).fill({ kind: 'credential', reason: 'oauth_refused' }),
    ],
  ])('%s', async (_name, script, attempts, outcomes) => {
    expect(await run(script)).toEqual({ attempts, outcomes })
  })

  it('that is aborted while it waits for the token leaves all targets unsettled', async () => {
    expect(await run({}, AbortSignal.abort())).toEqual({ attempts: [], outcomes: Array(4).fill(undefined) })
  })
})
