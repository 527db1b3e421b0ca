import type { Outcome, Settle } from './provider.ts'

/** Reports one outcome for the targets at these indices. */
export function settleAll(indices: readonly number[], outcome: Outcome, settle: Settle): void {
  for (const index of indices) settle(index, outcome)
}
