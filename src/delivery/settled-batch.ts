// Gathers what became of each target of a batch while it is sent, and says at its end what the queue and the devices
// have to be told.
import type { Outcome } from '../providers/provider.ts'
import type { BatchClaim, QueuedTarget, Retry } from '../queue/queue.ts'
import { planRetry, type RetryPolicyOptions } from './retry-policy.ts'

/** A device whose provider calls its token dead. */
export interface GoneToken {
  deviceId: string
  token: string
  /** Unix time in ms since when, where the provider said so. */
  sinceMs: number | undefined
}

export class SettledBatch {
  readonly #claim: BatchClaim
  readonly #policy: RetryPolicyOptions
  readonly #outcomes: (Outcome | undefined)[]

  constructor(deps: { claim: BatchClaim; policy: RetryPolicyOptions }) {
    this.#claim = deps.claim
    this.#policy = deps.policy
    this.#outcomes = new Array(deps.claim.targets.length)
  }

  settle(index: number, outcome: Outcome): void {
    this.#outcomes[index] = outcome
  }

  /** Settles what the provider left open. */
  settleRest(outcome: Outcome): void {
    for (const index of this.#claim.targets.keys()) this.#outcomes[index] ??= outcome
  }

  /** How many targets ended in each outcome; `reason` is empty for those sent. */
  counts(): { outcome: Outcome['kind']; reason: string; count: number }[] {
    const counts = new Map<string, { outcome: Outcome['kind']; reason: string; count: number }>()
    for (const outcome of this.#outcomes) {
      if (!outcome) continue
      const reason = outcome.kind === 'sent' ? '' : outcome.reason
      const key = `${outcome.kind} ${reason}`
      const entry = counts.get(key) ?? { outcome: outcome.kind, reason, count: 0 }
      entry.count++
      counts.set(key, entry)
    }
    return [...counts.values()]
  }

  goneTokens(): GoneToken[] {
    return this.#claim.targets.flatMap((target, index) => {
      const outcome = this.#outcomes[index]
      if (outcome?.kind !== 'tokenGone' || this.#claim.targetKind !== 'token') return []
      return [{ deviceId: target.deviceId, token: target.value, sinceMs: outcome.sinceMs }]
    })
  }

  /** Why the credential was refused, if it was. */
  credentialProblem(): string | undefined {
    return this.#outcomes.find((outcome) => outcome?.kind === 'credential')?.reason
  }

  /** What goes back into the queue: what a retry may help, and what was not settled, which goes back at once. */
  retries(): { retries: Retry[]; givenUp: number } {
    const groups = new Map<
      string,
      { delayMs: number | undefined; ambiguousAttempts: number; targets: QueuedTarget[] }
    >()
    this.#claim.targets.forEach((target, index) => {
      const outcome = this.#outcomes[index]
      if (outcome && outcome.kind !== 'retry' && outcome.kind !== 'credential') return
      // Targets with the same answer share a delay, and so a batch: a hundred separate ones would cost a hundred claims.
      const key = outcome ? JSON.stringify({ ...outcome }) : 'unsettled'
      const group = groups.get(key) ?? { ...this.#plan(outcome), targets: [] }
      group.targets.push(target)
      groups.set(key, group)
    })
    const retries: Retry[] = []
    let givenUp = 0
    for (const { delayMs, ambiguousAttempts, targets } of groups.values()) {
      if (delayMs === undefined) givenUp += targets.length
      else retries.push({ targets, delayMs, ambiguousAttempts })
    }
    return { retries, givenUp }
  }

  #plan(outcome: Extract<Outcome, { kind: 'retry' | 'credential' }> | undefined) {
    const { attempt, ageMs, expiresInMs } = this.#claim
    const isAmbiguous = outcome?.kind === 'retry' && outcome.maybeDelivered === true
    const ambiguousAttempts = this.#claim.ambiguousAttempts + (isAmbiguous ? 1 : 0)
    const delayMs = outcome ? planRetry(outcome, { attempt, ageMs, expiresInMs, ambiguousAttempts }, this.#policy) : 0
    return { delayMs, ambiguousAttempts }
  }
}
