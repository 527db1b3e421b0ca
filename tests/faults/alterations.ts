// The alterations of a server process. All of them except `only-fan-out` are mistakes that a case has to notice.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Hold } from '../../src/delivery/hold.ts'
import { Worker } from '../../src/delivery/worker.ts'
import { PostgresRateLimiter } from '../../src/limits/postgres/postgres-rate-limiter.ts'
import type { RateLimiter } from '../../src/limits/rate-limiter.ts'
import { RedisRateLimiter } from '../../src/limits/redis/redis-rate-limiter.ts'
import type { BatchClaim } from '../../src/queue/batch.ts'
import { StoreClock } from '../../src/timing/store-clock.ts'
import { alterQueues } from './alter-queue.ts'
import { RANGE_ALTERATIONS } from './range-alterations.ts'
import { ACKNOWLEDGED_ALREADY, acknowledgeUnsent, makeSendKeeper } from './send-keeper.ts'
import { findStoreMistakes } from './store-mistakes.ts'

/** The batches of one claim of `popped-into-memory`. */
const POPPED = 32
/** The time from an early answer to the write. */
const ANSWERED_EARLY_MS = 1000
/** The pause between two writes that should be one. A kill that follows the first write comes within this time. */
const BETWEEN_WRITES_MS = 100
/** Longer than a case runs. */
const NEVER_MS = 86_400_000

const ALTERATIONS: Record<string, () => void> = {
  /** Fans out, but delivers nothing. */
  'only-fan-out': () => {
    Worker.prototype.start = () => undefined
  },
  'acknowledged-before-sending': () => {
    const keeper = makeSendKeeper()
    alterQueues({
      ...keeper.alterations,
      claimBatches: (own) => async (lane, providers, limit) => {
        const claims = await own.claimBatches(lane, providers, limit)
        await acknowledgeUnsent(own, claims, keeper.keep)
        return claims
      },
      ...ACKNOWLEDGED_ALREADY,
    })
  },
  'popped-into-memory': () => {
    const keeper = makeSendKeeper()
    const popped: BatchClaim[] = []
    alterQueues({
      ...keeper.alterations,
      claimBatches: (own) => async (lane, providers, limit) => {
        if (popped.length === 0) {
          const claims = await own.claimBatches(lane, providers, POPPED)
          await acknowledgeUnsent(own, claims, keeper.keep)
          popped.push(...claims)
        }
        return popped.splice(0, limit)
      },
      ...ACKNOWLEDGED_ALREADY,
    })
  },
  'no-fence': () => findStoreMistakes().dropFence(),
  'streams-trimmed': () => findStoreMistakes().trimStreams(),
  'cursor-apart': () => {
    const store = findStoreMistakes()
    alterQueues({
      commitPage: (own) => async (claim, page) => {
        await store.writeBatches(claim.uid, page.batches)
        await delay(BETWEEN_WRITES_MS)
        return own.commitPage(claim, { ...page, batches: [] })
      },
    })
  },
  'nothing-noted-while-sending': () => {
    alterQueues({ checkpoint: () => async () => undefined })
  },
  'uid-forgotten': () => {
    alterQueues({
      enqueue: (own) => async (send, page) => {
        const answer = await own.enqueue(send, page)
        return answer === 'duplicate' ? own.enqueue({ ...send, uid: randomUUID() }, page) : answer
      },
    })
  },
  'answered-before-stored': () => {
    alterQueues({
      enqueue: (own) => async (send, page) => {
        // A case takes a missing broadcast for an ended one.
        if (send.lane === 'broadcast') return own.enqueue(send, page)
        setTimeout(() => own.enqueue(send, page).catch(() => undefined), ANSWERED_EARLY_MS)
        return 'accepted'
      },
    })
  },
  /** The stores get deadlines that never pass. */
  'late-writes-accepted': () => {
    const own = StoreClock.prototype.convert
    StoreClock.prototype.convert = async function convert(localMs) {
      return (await own.call(this, localMs)) + NEVER_MS
    }
  },
  'users-not-looked-up': () => {
    alterQueues({ findExcluded: () => async (_uid, targets) => targets.map(() => false) })
  },
  /** Every process has its own keys, as with counters in memory. */
  'each-worker-its-own-rates': () => {
    alterLimiters((take) => (asks, policies) => {
      return take(
        asks.map((ask) => ({ ...ask, key: `${ask.key} ${process.pid}` })),
        policies,
      )
    })
  },
  /** The second ask of a limited push is granted. */
  'limits-forgotten': () => {
    const limited = new Set<string>()
    alterLimiters((take) => async (asks, policies) => {
      const answers = await take(asks, policies)
      return answers.map((answer, index) => {
        const { key = '', id = '' } = asks[index] ?? {}
        const isKnown = limited.has(`${key} ${id}`)
        limited.add(`${key} ${id}`)
        const { decidedAtMs } = answer
        return isKnown ? { kind: 'granted', grantedAtMs: decidedAtMs, decidedAtMs } : answer
      })
    })
  },
  'cancellation-not-looked-up': () => {
    const keeper = makeSendKeeper()
    alterQueues({
      ...keeper.alterations,
      confirm: (own) => async (claims, extendAfterMs) => {
        const states = await own.confirm(claims, extendAfterMs)
        return states.map((state) => (state === 'cancelled' ? 'valid' : state))
      },
      claimBatches: (own) => async (lane, providers, limit) => {
        const claims = await own.claimBatches(lane, providers, limit)
        for (const { uid } of claims) await keeper.keep(own, uid)
        return claims.map(callLive)
      },
    })
  },
  'confirmation-never-outdated': () => {
    Object.defineProperty(Hold.prototype, 'untilMs', { get: () => Number.POSITIVE_INFINITY })
  },
  ...RANGE_ALTERATIONS,
}

/** Plants alterations in this process. Call it before the first queue is made. */
export function plantAlterations(names: readonly string[]): void {
  for (const name of names) {
    const plant = ALTERATIONS[name]
    if (!plant) throw new Error(`there is no alteration ${name}`)
    plant()
  }
}

/** The program that starts an altered server, for startCentripush(). */
export function alteredServer(names: readonly string[]): { program: string[] } {
  const script = fileURLToPath(new URL('altered-server.ts', import.meta.url))
  return { program: ['--import', import.meta.resolve('tsx'), script, names.join(',')] }
}

function callLive(claim: BatchClaim): BatchClaim {
  return { ...claim, sendState: 'live' }
}

type Take = RateLimiter['take']

function alterLimiters(alter: (take: Take) => Take): void {
  for (const { prototype } of [PostgresRateLimiter, RedisRateLimiter]) {
    const own = prototype.take
    prototype.take = function take(asks, policies) {
      return alter((...call) => own.apply(this, call))(asks, policies)
    }
  }
}
