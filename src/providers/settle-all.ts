import type { Outcome, Settle } from './provider.ts'

/** Settles the targets at `indices` with one outcome. */
export function settleAll(indices: readonly number[], outcome: Outcome, settle: Settle): void {
  for (const index of indices) settle(index, outcome)
}
