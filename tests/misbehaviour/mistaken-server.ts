// `centripush serve` with a mistake planted in it: its name as the first argument, the command line behind it.
import { BatchOutcomes } from '../../src/delivery/batch-outcomes.ts'
import type { BatchClaim, Retry } from '../../src/queue/batch.ts'
import { alterQueues } from '../faults/alter-queue.ts'

const MISTAKES: Record<string, () => void> = {
  /** One batch in three is stored again whole. */
  'sent-retried': () => {
    let batches = 0
    const claimed = new Map<string, BatchClaim>()
    alterQueues({
      claimBatches:
        (own) =>
        async (...query) => {
          const claims = await own.claimBatches(...query)
          for (const claim of claims) claimed.set(claim.id, claim)
          return claims
        },
      acknowledge:
        (own) =>
        (claim, { retries, givenUp }) => {
          const whole = claimed.get(claim.id)
          claimed.delete(claim.id)
          const isRepeated = whole && claim.attempt === 1 && batches++ % 3 === 0
          const left = isRepeated ? [repeat(whole)] : retries
          return own.acknowledge(claim, { retries: left, givenUp })
        },
    })
  },
  'retry-dropped': () => {
    alterQueues({
      acknowledge:
        (own) =>
        (claim, { retries, givenUp }) => {
          return own.acknowledge(claim, { retries: retries.slice(1), givenUp })
        },
    })
  },
  'given-up-forgotten': () => {
    alterQueues({
      acknowledge:
        (own) =>
        (claim, { retries }) =>
          own.acknowledge(claim, { retries, givenUp: [] }),
    })
  },
  'counted-twice': () => {
    const own = BatchOutcomes.prototype.counts
    BatchOutcomes.prototype.counts = function counts() {
      return own.call(this).map((entry) => ({ ...entry, count: entry.count * (entry.outcome === 'sent' ? 2 : 1) }))
    }
  },
  'neighbour-settled': () => alterSettle((own, index, outcome) => own(index % 20 === 8 ? index + 1 : index, outcome)),
  'failure-called-sent': () => {
    alterSettle((own, index, outcome) => {
      own(index, outcome.kind === 'rejected' ? { kind: 'sent', messageId: '' } : outcome)
    })
  },
}

function repeat({ targets, count }: BatchClaim): Retry {
  const stored = targets.kind === 'range' ? targets : { ...targets, lines: targets.lines.join('\n') }
  return { targets: stored, count, delayMs: 0, ambiguousAttempts: 0 }
}

type Settle = BatchOutcomes['settle']

function alterSettle(alter: (own: Settle, ...call: Parameters<Settle>) => void): void {
  const own = BatchOutcomes.prototype.settle
  BatchOutcomes.prototype.settle = function settle(...call) {
    alter((...changed) => own.apply(this, changed), ...call)
  }
}

const [name = ''] = process.argv.splice(2, 1)
const plant = MISTAKES[name]
if (!plant) throw new Error(`there is no mistake ${name}`)
plant()
await import('../../src/main.ts')
