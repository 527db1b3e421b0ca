import type { Http2Answer, Http2Batch } from '../../http2/http2-client.ts'
import type { Batch, Outcome, Settle } from '../provider.ts'
import { outcomeOfTransportFailure } from '../transport-failure.ts'

/** The targets that an attempt left unsettled because the provider refused the token. */
export interface RefusedTargets {
  readonly indices: number[]
  /**
   * The outcome of the first refused request. It counts for all: an answer about the token says nothing about a target.
   */
  outcome: Extract<Outcome, { kind: 'credential' }> | undefined
}

/** The attempt to send for which refused targets are collected. */
export interface CollectRefusalsDeps {
  batch: Batch
  /** The indices of the attempt's targets. Requests are sent in the order of this list. */
  indices: readonly number[]
  settle: Settle
  signal: AbortSignal
  minRetryDelayMs: number
  refused: RefusedTargets
  outcomeOf: (answer: Http2Answer, index: number) => Outcome
}

/**
 * Makes the callbacks for an attempt with one request per target. As soon as a request was refused no further one is
 * sent: the provider would refuse them all, and some providers close the connections of a client that continues.
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
      // The request was not sent because of the refusal. If its target was cancelled as well, the target stays
      // unsettled.
      else if (refused.outcome && !signal.aborted && !isCancelled(index)) refused.indices.push(index)
    },
  }
}
