// Admission: the limits of a send decide which targets of a batch are sent to, delayed or dropped.
import { isPerDevice, renderKey } from '../limits/key-template.ts'
import { MAX_ASKS, type RateLimiter } from '../limits/rate-limiter.ts'
import { waitForWindow } from '../personalise/time-limit.ts'
import type { RateLimit } from '../sends/rate-limit.ts'
import type { HeldUsers, SendContent } from '../sends/send-content.ts'
import { readField } from '../sends/target-line.ts'
import type { TimeLimit } from '../sends/time-limit.ts'
import type { OpenTarget } from './open-batch.ts'

/** The reason of a drop. */
export type DropReason = 'no_timezone' | 'rate_limited'

/** Targets that are delayed by the limits of their send, or because of their user's presence. */
export interface Delayed {
  targets: readonly OpenTarget[]
  delayMs: number
  /** `held`: the user may see the message before. */
  reason: 'held' | 'time_limit' | 'rate_limited'
}

/** The targets of a batch by the verdict of the limits. */
export interface Admission {
  /** Targets that are sent now. */
  admitted: OpenTarget[]
  /** One group for each delay. */
  delayed: Delayed[]
  /** The dropped targets for each reason. */
  dropped: ReadonlyMap<DropReason, readonly OpenTarget[]>
}

interface Deps {
  /** Undefined if no send has a rate limit. */
  rateLimiter?: Pick<RateLimiter, 'take'> | undefined
  /** Unix time in ms. */
  now(): number
}

const NONE_DROPPED: Admission['dropped'] = new Map()

/** A delay in ms, 0 for none; or the reason of a drop. */
type Verdict = number | DropReason

/** The limits of a send. */
type Limits = Pick<SendContent, 'heldUsers' | 'timeLimit' | 'rateLimit'>

/** Whether a send has limits. */
export function hasLimits({ heldUsers, timeLimit, rateLimit }: Limits): boolean {
  return heldUsers !== undefined || timeLimit !== undefined || rateLimit !== undefined
}

/** The admission of targets without limits: all are sent now. */
export function admitAll(targets: OpenTarget[]): Admission {
  return { admitted: targets, delayed: [], dropped: NONE_DROPPED }
}

/** Applies the limits of a send. The rate limit is applied last, because each grant counts as a push. */
export async function admitTargets(
  deps: Deps,
  { uid }: { uid: string },
  { heldUsers, timeLimit, rateLimit }: Limits,
  targets: readonly OpenTarget[],
): Promise<Admission> {
  const refused = new RefusedTargets()
  let admitted = [...targets]
  if (heldUsers) admitted = refused.filter('held', admitted, checkHold(heldUsers, admitted, deps.now()))
  if (timeLimit) {
    admitted = refused.filter('time_limit', admitted, checkWindow(timeLimit, admitted, deps.now()))
  }
  if (rateLimit) {
    const verdicts = await checkRates(deps.rateLimiter, rateLimit, uid, admitted)
    admitted = refused.filter('rate_limited', admitted, verdicts)
  }
  return { admitted, delayed: refused.delayed(), dropped: refused.dropped }
}

/** Targets that are delayed or dropped. */
class RefusedTargets {
  readonly #delayed = new Map<string, Delayed & { targets: OpenTarget[] }>()
  readonly dropped = new Map<DropReason, OpenTarget[]>()

  /** Records the refused targets and returns the admitted ones. @param reason the reason of a delay */
  filter(reason: Delayed['reason'], targets: readonly OpenTarget[], verdicts: readonly Verdict[]): OpenTarget[] {
    return targets.filter((target, index) => {
      const verdict = verdicts[index] ?? 0
      if (typeof verdict === 'string') this.#drop(target, verdict)
      else if (verdict > 0) this.#delay(target, verdict, reason)
      return verdict === 0
    })
  }

  delayed(): Delayed[] {
    return [...this.#delayed.values()]
  }

  #delay(target: OpenTarget, delayMs: number, reason: Delayed['reason']): void {
    const key = `${reason} ${delayMs}`
    const group = this.#delayed.get(key)
    if (group) group.targets.push(target)
    else this.#delayed.set(key, { delayMs, reason, targets: [target] })
  }

  #drop(target: OpenTarget, reason: DropReason): void {
    const group = this.dropped.get(reason)
    if (group) group.push(target)
    else this.dropped.set(reason, [target])
  }
}

function checkHold({ users, untilMs }: HeldUsers, targets: readonly OpenTarget[], nowMs: number): Verdict[] {
  const held = new Set(users)
  const delayMs = Math.max(0, untilMs - nowMs)
  return targets.map(({ line }) => (held.has(readField(line, 'user')) ? delayMs : 0))
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
  if (!limiter) throw new Error('a send with a rate limit was claimed by a worker without a rate limiter')
  const isOneDevice = isPerDevice(key)
  const asks = targets.map(({ line }) => {
    const device = { id: readField(line, 'deviceId'), user: readField(line, 'user') }
    // A retry asks with the same id, so it takes no second grant.
    return { key: renderKey(key, device), id: isOneDevice ? uid : `${uid} ${device.id}` }
  })
  const verdicts: Verdict[] = []
  // One call, unless the configured batch size is larger than the limit of a call.
  for (let from = 0; from < asks.length; from += MAX_ASKS) {
    for (const answer of await limiter.take(asks.slice(from, from + MAX_ASKS), policies)) {
      if (answer.kind === 'granted') verdicts.push(0)
      else verdicts.push(isDropped ? 'rate_limited' : roundUpWait(answer.waitMs))
    }
  }
  return verdicts
}

/**
 * Rounds a wait up by at most a quarter, so that targets with similar waits share a batch. Without it each of them
 * would become a batch of its own.
 */
export function roundUpWait(waitMs: number): number {
  const stepMs = 2 ** Math.max(0, Math.floor(Math.log2(waitMs)) - 2)
  return Math.ceil(waitMs / stepMs) * stepMs
}
