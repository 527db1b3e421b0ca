// `centripush serve` with a planted mistake. The first argument is its name; the usual command line follows.
import { BatchOutcomes } from '../../src/delivery/batch-outcomes.ts'
import type { BatchClaim, Retry } from '../../src/queue/batch.ts'
import { alterQueues } from '../faults/alter-queue.ts'

const MISTAKES: Record<string, () => void> = {
  /** One of three batches is stored again with all of its targets. */
  'sent-retried': () => {
    let batches = 0
    const wholes = new Map<string, Retry>()
    alterQueues({
      claimBatches: (own) => async (lane, providers, limit) => {
        const claims = await own.claimBatches(lane, providers, limit)
        for (const claim of claims) {
          if (claim.attempt === 1 && batches++ % 3 === 0) wholes.set(claim.id, makeRetry(claim))
        }
        return claims
      },
      acknowledge: (own) => (claim, remainder) => {
        const whole = wholes.get(claim.id)
        return own.acknowledge(claim, { ...remainder, ...(whole && { retries: [whole] }) })
      },
    })
  },
  'retry-dropped': () => {
    alterQueues({
      acknowledge: (own) => (claim, remainder) => {
        return own.acknowledge(claim, { ...remainder, retries: remainder.retries.slice(1) })
      },
    })
  },
  'given-up-forgotten': () => {
    alterQueues({
      acknowledge: (own) => (claim, remainder) => own.acknowledge(claim, { ...remainder, givenUp: [] }),
    })
  },
  'counted-twice': () => {
    const own = BatchOutcomes.prototype.takeEnded
    BatchOutcomes.prototype.takeEnded = function ended() {
      return own.call(this).map((group) => {
        return group.outcome === 'sent' ? { ...group, lines: [...group.lines, ...group.lines] } : group
      })
    }
  },
  'neighbour-settled': () => alterSettle((own, index, outcome) => own(index % 20 === 8 ? index + 1 : index, outcome)),
  'failure-called-sent': () => {
    alterSettle((own, index, outcome) => {
      own(index, outcome.kind === 'rejected' ? { kind: 'sent', messageId: '' } : outcome)
    })
  },
}

function makeRetry({ targets, count }: BatchClaim): Retry {
  const stored = targets.kind === 'range' ? targets : { kind: targets.kind, lines: targets.lines.join('\n') }
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
