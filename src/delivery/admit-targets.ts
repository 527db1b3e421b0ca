// Which targets of a batch may be sent to now, by the limits of its send. The others wait in the queue or are dropped.
import { isPerDevice, renderKey } from '../limits/key-template.ts'
import { MAX_ASKS, type RateLimiter } from '../limits/rate-limiter.ts'
import { waitForWindow } from '../personalise/time-limit.ts'
import type { BatchClaim } from '../queue/batch.ts'
import type { RateLimit } from '../sends/rate-limit.ts'
import type { SendContent } from '../sends/send-content.ts'
import { readField } from '../sends/target-line.ts'
import type { TimeLimit } from '../sends/time-limit.ts'
import type { Delayed } from './batch-outcomes.ts'
import type { OpenTarget } from './open-batch.ts'

/** Why a target is never sent to. */
export type DropReason = 'no_timezone' | 'rate_limited'

export interface Admission {
  admitted: OpenTarget[]
  /** Those that wait, by how long: as few groups as that allows. */
  delayed: Delayed[]
  /** How many are dropped. */
  dropped: ReadonlyMap<DropReason, number>
}

interface Deps {
  /** Undefined where no send has a rate limit. */
  rateLimiter?: Pick<RateLimiter, 'take'> | undefined
  /** Unix time in ms. */
  now(): number
}

/** Milliseconds to wait, 0 for none; or that it is dropped. */
type Verdict = number | DropReason

/** Asks what limits the send of a batch has. The rate is asked for last: what it grants is as good as sent. */
export async function admitTargets(
  deps: Deps,
  { uid }: Pick<BatchClaim, 'uid'>,
  { timeLimit, rateLimit }: SendContent,
  targets: readonly OpenTarget[],
): Promise<Admission> {
  const sorted = new SortedTargets()
  let open = [...targets]
  if (timeLimit) open = sorted.add(open, checkWindow(timeLimit, open, deps.now()))
  if (rateLimit) open = sorted.add(open, await checkRates(deps.rateLimiter, rateLimit, uid, open))
  return { admitted: open, delayed: sorted.delayed(), dropped: sorted.dropped }
}

/** Takes out what may not be sent to. */
class SortedTargets {
  readonly #delayed = new Map<number, OpenTarget[]>()
  readonly dropped = new Map<DropReason, number>()

  /** Returns those that no verdict speaks against. */
  add(targets: readonly OpenTarget[], verdicts: readonly Verdict[]): OpenTarget[] {
    return targets.filter((target, index) => {
      const verdict = verdicts[index] ?? 0
      if (typeof verdict === 'string') this.dropped.set(verdict, (this.dropped.get(verdict) ?? 0) + 1)
      else if (verdict > 0) this.#delay(target, verdict)
      return verdict === 0
    })
  }

  delayed(): Delayed[] {
    return [...this.#delayed].map(([delayMs, targets]) => ({ delayMs, targets }))
  }

  #delay(target: OpenTarget, delayMs: number): void {
    const group = this.#delayed.get(delayMs)
    if (group) group.push(target)
    else this.#delayed.set(delayMs, [target])
  }
}

function checkWindow(limit: TimeLimit, targets: readonly OpenTarget[], nowMs: number): Verdict[] {
  const byZone = new Map<string, Verdict>()
  return targets.map(({ line }) => {
    const timezone = readField(line, 'timezone')
    const verdict = byZone.get(timezone) ?? waitForWindow(limit, timezone, nowMs) ?? 'no_timezone'
    byZone.set(timezone, verdict)
    return verdict
  })
}

async function checkRates(
  limiter: Pick<RateLimiter, 'take'> | undefined,
  { key, policies, isDropped }: RateLimit,
  uid: string,
  targets: readonly OpenTarget[],
): Promise<Verdict[]> {
  if (!limiter) throw new Error('a send with a rate limit was claimed without a limiter')
  const isOneDevice = isPerDevice(key)
  const asks = targets.map(({ line }) => {
    const device = { id: readField(line, 'deviceId'), user: readField(line, 'user') }
    // A retry asks the same, and so doesn't pay again.
    return { key: renderKey(key, device), id: isOneDevice ? uid : `${uid} ${device.id}` }
  })
  const verdicts: Verdict[] = []
  // One call, but for batches that are configured larger than one may be.
  for (let from = 0; from < asks.length; from += MAX_ASKS) {
    for (const answer of await limiter.take(asks.slice(from, from + MAX_ASKS), policies)) {
      if (answer.kind === 'granted') verdicts.push(0)
      else verdicts.push(isDropped ? 'rate_limited' : roundUpWait(answer.waitMs))
    }
  }
  return verdicts
}

/**
 * Waits that hardly differ become the same, a quarter longer at most, so that their targets stay together: alone each
 * would be a batch of its own from then on.
 */
export function roundUpWait(waitMs: number): number {
  const stepMs = 2 ** Math.max(0, Math.floor(Math.log2(waitMs)) - 2)
  return Math.ceil(waitMs / stepMs) * stepMs
}
