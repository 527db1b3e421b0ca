// Sending under a token that the provider may refuse: send, collect the refused targets, replace the token, send those
// again. Only once: a second new token in a row would be refused as well, and each batch would obtain another one.
import type { Outcome, Settle } from '../provider.ts'
import { settleAll } from '../settle-all.ts'
import { untilAborted } from '../until-aborted.ts'
import type { RefusedTargets } from './refused-targets.ts'
import type { TokenSource } from './renewable-token.ts'
import { TokenError } from './token-error.ts'

export interface SendWithTokenDeps {
  tokens: TokenSource
  /** The targets to send to, by their indices in the batch. */
  indices: readonly number[]
  settle: Settle
  signal: AbortSignal
  /** The delay that the provider asks for before another attempt, in ms. */
  minRetryDelayMs: number
  /**
   * Sends to the targets at `indices`. It settles each target, adds it to `refused`, or leaves it unsettled because it
   * was aborted or withdrawn.
   */
  attempt: (indices: readonly number[], token: string, refused: RefusedTargets) => Promise<void>
}

/** Sends to all targets, at most twice to those for which the token was refused. Resolves as `Provider.send` does. */
export async function sendWithToken(deps: SendWithTokenDeps): Promise<void> {
  const { tokens, attempt, settle } = deps
  const first = await waitForToken(deps, deps.indices, tokens.get())
  if (first?.token === undefined) return
  let refused = makeRefusedTargets()
  await attempt(deps.indices, first.token, refused)
  if (!refused.outcome) return
  const { indices, outcome } = refused
  const next = await waitForToken(deps, indices, tokens.replace(first.token, outcome.reason))
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

/** Undefined when there is no token: the targets are settled then, or the signal aborted. */
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
  return reason === 'oauth_refused' ? { kind: 'credential', reason } : { kind: 'retry', reason, minDelayMs }
}
