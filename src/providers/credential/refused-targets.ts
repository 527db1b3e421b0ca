import type { Http2Answer, Http2Batch } from '../../http2/http2-client.ts'
import type { Batch, Outcome, Settle } from '../provider.ts'
import { outcomeOfTransportFailure } from '../transport-failure.ts'

/** The targets of an attempt that are not settled because the provider refused the token. */
export interface RefusedTargets {
  readonly indices: number[]
  /** The first refusal. It counts for all: an answer about the token says nothing about a target. */
  outcome: Extract<Outcome, { kind: 'credential' }> | undefined
}

/** The attempt whose refusals are collected. */
export interface CollectRefusalsDeps {
  batch: Batch
  /** The indices of the targets. The requests have the order of this list. */
  indices: readonly number[]
  settle: Settle
  signal: AbortSignal
  minRetryDelayMs: number
  refused: RefusedTargets
  outcomeOf: (answer: Http2Answer, index: number) => Outcome
}

/**
 * The callbacks for an attempt with one request per target. Once a request was refused no other one is sent: the
 * provider would refuse them all, and some providers close the connections of a client that goes on.
 */
export function collectRefusals(
  deps: CollectRefusalsDeps,
): Pick<Http2Batch, 'count' | 'isWithdrawn' | 'confirmation' | 'onAnswer' | 'onFailure'> {
  const { batch, indices, settle, signal, minRetryDelayMs, refused, outcomeOf } = deps
  const isCancelled = (index: number) => batch.isWithdrawn?.(index) === true
  return {
    count: indices.length,
    confirmation: batch.confirmation,
    isWithdrawn: (place) => refused.outcome !== undefined || isCancelled(indices[place] ?? -1),
    onAnswer: (place, answer) => {
      const index = indices[place] ?? -1
      const outcome = outcomeOf(answer, index)
      if (outcome.kind === 'credential') {
        refused.outcome ??= outcome
        refused.indices.push(index)
      } else settle(index, outcome)
    },
    onFailure: (place, error) => {
      const index = indices[place] ?? -1
      const outcome = outcomeOfTransportFailure(error, minRetryDelayMs)
      if (outcome) settle(index, outcome)
      // Not sent because of the refusal, unless the target was cancelled as well: then it stays unsettled.
      else if (refused.outcome && !signal.aborted && !isCancelled(index)) refused.indices.push(index)
    },
  }
}
