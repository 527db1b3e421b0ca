// Sends with a token that the provider may refuse: sends, collects the refused targets, replaces the token, and sends
// to those targets again. Only once: a second new token in a row would be refused as well, and each batch would obtain
// another one.
import { CREDENTIAL_UNUSABLE, type Outcome, type Settle } from '../provider.ts'
import { settleAll } from '../settle-all.ts'
import { untilAborted } from '../until-aborted.ts'
import type { RefusedTargets } from './refused-targets.ts'
import type { TokenSource } from './renewable-token.ts'
import { TokenError } from './token-error.ts'

export interface SendWithTokenDeps {
  tokens: TokenSource
  /** The targets to send to, as indices in the batch. */
  indices: readonly number[]
  settle: Settle
  signal: AbortSignal
  /** The shortest delay before another attempt that the provider asks for, in ms. */
  minRetryDelayMs: number
  /**
   * Sends to the targets at `indices` with `token`. Settles each target, or adds it to `refused`, or leaves it
   * unsettled because it was aborted or withdrawn.
   */
  attempt: (indices: readonly number[], token: string, refused: RefusedTargets) => Promise<void>
}

/**
 * Sends to all targets, and a second time to those that were refused because of the token. Resolves as `Provider.send`
 * does.
 */
export async function sendWithToken(deps: SendWithTokenDeps): Promise<void> {
  const { tokens, attempt, settle } = deps
  const token = tokens.current() ?? (await waitForToken(deps, deps.indices, tokens.get()))?.token
  if (token === undefined) return
  let refused = makeRefusedTargets()
  await attempt(deps.indices, token, refused)
  if (!refused.outcome) return
  const { indices, outcome } = refused
  const next = await waitForToken(deps, indices, tokens.replace(token, outcome.reason))
  if (!next) return
  if (next.token !== undefined) {
    refused = makeRefusedTargets()
    await attempt(indices, next.token, refused)
  }
  if (refused.outcome) settleAll(refused.indices, refused.outcome, settle)
}

function makeRefusedTargets(): RefusedTargets {
  return { indices: [], outcome: undefined }
}

/**
 * Waits for the token. Resolves to undefined if there is none: then the targets are settled, or `signal` has aborted.
 */
async function waitForToken(
  { settle, signal, minRetryDelayMs }: SendWithTokenDeps,
  indices: readonly number[],
  token: Promise<string | undefined>,
): Promise<{ token: string | undefined } | undefined> {
  try {
    return { token: await untilAborted(token, signal) }
  } catch (error) {
    if (error instanceof TokenError) settleAll(indices, outcomeOfTokenError(error, minRetryDelayMs), settle)
    else if (!signal.aborted) throw error
    return undefined
  }
}

function outcomeOfTokenError({ reason }: TokenError, minDelayMs: number): Outcome {
  return reason === 'oauth_refused' || reason === CREDENTIAL_UNUSABLE
    ? { kind: 'credential', reason }
    : { kind: 'retry', reason, minDelayMs }
}
