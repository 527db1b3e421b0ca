import type { Batch, Outcome, Provider } from '../../src/providers/provider.ts'

/** What became of a target in the end. */
export interface Ending {
  outcome: Outcome
  /** Attempts whose answer never came although the target may have been reached. */
  maybeDelivered: number
}

/** More than any share of failures of a test needs. */
const MAX_ROUNDS = 60

/** Sends to all targets, and again to those that ask for it, until each has its end; the delays are left out. */
export async function sendUntilFinal(
  provider: Provider,
  targets: readonly string[],
  batchOf: (targets: readonly string[]) => Batch,
  batchSize: number,
): Promise<Map<string, Ending>> {
  const endings = new Map<string, Ending>()
  const maybeDelivered = new Map<string, number>()
  let open = [...targets]
  for (let round = 0; open.length > 0 && round < MAX_ROUNDS; round++) {
    const batches: string[][] = []
    for (let from = 0; from < open.length; from += batchSize) batches.push(open.slice(from, from + batchSize))
    open = []
    await Promise.all(
      batches.map(async (batch) => {
        const settled = new Set<string>()
        await provider.send(
          batchOf(batch),
          (index, outcome) => {
            const target = batch[index] ?? 'none'
            if (settled.has(target) || endings.has(target)) throw new Error(`${target} is settled twice`)
            settled.add(target)
            const count = maybeDelivered.get(target) ?? 0
            if (outcome.kind === 'retry' && outcome.maybeDelivered) maybeDelivered.set(target, count + 1)
            if (outcome.kind === 'retry' || outcome.kind === 'credential') open.push(target)
            else endings.set(target, { outcome, maybeDelivered: count })
          },
          new AbortController().signal,
        )
        if (settled.size < batch.length) throw new Error('targets were left unsettled')
      }),
    )
  }
  return endings
}

/** How often each target was reached, by a simulator's log. */
export function countDeliveries(accepted: readonly { target: string }[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { target } of accepted) counts.set(target, (counts.get(target) ?? 0) + 1)
  return counts
}
