import { expect } from 'vitest'
import type { Batch, Outcome, Provider } from '../../src/providers/provider.ts'

/** The signal of a batch that is not aborted. */
export const NEVER = new AbortController().signal

/** Sends a batch. Resolves to the outcomes in the order of its targets; a target settled twice fails the test. */
export async function collectOutcomes(provider: Provider, batch: Batch, signal = NEVER) {
  const outcomes = new Array<Outcome | undefined>(batch.targets.length).fill(undefined)
  await provider.send(
    batch,
    (index, outcome) => {
      expect(outcomes[index]).toBeUndefined()
      outcomes[index] = outcome
    },
    signal,
  )
  return outcomes
}

/** Sends a batch. Resolves to the outcomes of the settled targets, by target. */
export async function sendBatch(provider: Provider, batch: Batch, signal = NEVER): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>()
  for (const [index, outcome] of (await collectOutcomes(provider, batch, signal)).entries())
    if (outcome) outcomes.set(batch.targets[index] ?? '', outcome)
  return outcomes
}

/** The kinds of the outcomes, each once. */
export function kindsOf(outcomes: ReadonlyMap<string, Outcome> | readonly (Outcome | undefined)[]) {
  return [...new Set([...outcomes.values()].map((outcome) => outcome?.kind))]
}

/** `<prefix>-0`, `<prefix>-1` and so on. */
export function tokens(count: number, prefix = 'token'): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}-${i}`)
}
