// `centripush serve` with a planted mistake. The first argument is its name; the usual command line follows.
import { SettledBatch } from '../../src/delivery/settled-batch.ts'
import { alterQueues } from '../faults/alter-queue.ts'

const MISTAKES: Record<string, () => void> = {
  /** One of three batches is stored again with all of its targets. */
  'sent-retried': () => {
    let batches = 0
    alterQueues({
      acknowledge:
        (own) =>
        (claim, { retries, givenUp }) => {
          const { lines, count } = claim
          const isWhole = claim.attempt === 1 && batches++ % 3 === 0
          const left = isWhole ? [{ lines: lines.join('\n'), count, delayMs: 0, ambiguousAttempts: 0 }] : retries
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
    const own = SettledBatch.prototype.counts
    SettledBatch.prototype.counts = function counts() {
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

type Settle = SettledBatch['settle']

function alterSettle(alter: (own: Settle, ...call: Parameters<Settle>) => void): void {
  const own = SettledBatch.prototype.settle
  SettledBatch.prototype.settle = function settle(...call) {
    alter((...changed) => own.apply(this, changed), ...call)
  }
}

const [name = ''] = process.argv.splice(2, 1)
const plant = MISTAKES[name]
if (!plant) throw new Error(`there is no mistake ${name}`)
plant()
await import('../../src/main.ts')
