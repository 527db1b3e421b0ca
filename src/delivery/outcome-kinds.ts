import type { Outcome } from '../providers/provider.ts'

/** An outcome that another attempt may follow. */
export type Repeatable = Extract<Outcome, { kind: 'retry' | 'credential' }>

/** Whether no attempt follows. */
export function isFinal(outcome: Outcome | undefined): outcome is Exclude<Outcome, Repeatable> {
  return outcome !== undefined && outcome.kind !== 'retry' && outcome.kind !== 'credential'
}

/** Whether the provider refused the target. */
export function isRefusal(
  outcome: Outcome | undefined,
): outcome is Extract<Outcome, { kind: 'rejected' | 'tokenGone' }> {
  return outcome?.kind === 'rejected' || outcome?.kind === 'tokenGone'
}
