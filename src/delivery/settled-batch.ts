// Gathers what became of each target of a batch while it is sent, and says at its end what the queue and the devices
// have to be told.
import type { Outcome } from '../providers/provider.ts'
import type { BatchClaim, GivenUp, Retry } from '../queue/queue.ts'
import { decodeTarget } from '../queue/targets.ts'
import { planRetry, type RetryPolicyOptions } from './retry-policy.ts'

/** A device whose provider calls its token dead. */
export interface GoneToken {
  deviceId: string
  token: string
  /** Unix time in ms since when, where the provider said so. */
  sinceMs: number | undefined
}

/** What the queue has to be told of targets without a final outcome. */
export interface Left {
  retries: Retry[]
  givenUp: GivenUp[]
  /** Targets whose send expires before the next attempt. */
  expired: number
}

/** A batch's target that is sent: its line, and the line's place in the batch as it was queued. */
export interface OpenTarget {
  line: string
  place: number
}

/** Targets that their send's limits keep waiting. */
export interface Held {
  targets: readonly OpenTarget[]
  delayMs: number
}

type Unsettled = Extract<Outcome, { kind: 'retry' | 'credential' }> | undefined

export class SettledBatch {
  readonly #claim: BatchClaim
  readonly #targets: readonly OpenTarget[]
  readonly #held: readonly Held[]
  readonly #policy: RetryPolicyOptions
  readonly #outcomes: (Outcome | undefined)[]
  /** As `BatchClaim.settled`: also what was settled or left out before this attempt. */
  readonly #settledBits: Uint8Array

  /** @param deps `targets` are those that are sent to, `held` go back as they are; all others need nothing more */
  constructor(deps: {
    claim: BatchClaim
    targets: readonly OpenTarget[]
    held?: readonly Held[]
    policy: RetryPolicyOptions
  }) {
    this.#claim = deps.claim
    this.#targets = deps.targets
    this.#held = deps.held ?? []
    this.#policy = deps.policy
    this.#outcomes = new Array(deps.targets.length)
    this.#settledBits = new Uint8Array(Math.ceil(deps.claim.count / 8)).fill(0xff)
    for (const { place } of [...deps.targets, ...this.#held.flatMap(({ targets }) => targets)]) {
      this.#settledBits[place >> 3] = this.#bits(place) & ~(1 << (place & 7))
    }
  }

  settle(index: number, outcome: Outcome): void {
    this.#outcomes[index] = outcome
    const target = this.#targets[index]
    if (!target || outcome.kind === 'retry' || outcome.kind === 'credential') return
    this.#settledBits[target.place >> 3] = this.#bits(target.place) | (1 << (target.place & 7))
  }

  /** Whether the target needs no further attempt, or its attempt has ended. */
  isSettled(index: number): boolean {
    return this.#outcomes[index] !== undefined
  }

  /** Settles what the provider left open. */
  settleRest(outcome: Outcome): void {
    for (const index of this.#targets.keys()) if (!this.#outcomes[index]) this.settle(index, outcome)
  }

  /** Which targets need no further attempt, so far. A copy. */
  settledBits(): Uint8Array {
    return this.#settledBits.slice()
  }

  /** How many targets ended in each outcome; `reason` is empty for those sent. */
  counts(): { outcome: Outcome['kind']; reason: string; count: number }[] {
    const counts = new Map<string, { outcome: Outcome['kind']; reason: string; count: number }>()
    for (const outcome of this.#outcomes) {
      if (!outcome) continue
      const reason = outcome.kind === 'sent' ? '' : outcome.reason
      const key = reason === '' ? outcome.kind : `${outcome.kind} ${reason}`
      const entry = counts.get(key)
      if (entry) entry.count++
      else counts.set(key, { outcome: outcome.kind, reason, count: 1 })
    }
    return [...counts.values()]
  }

  goneTokens(): GoneToken[] {
    if (this.#claim.targetKind !== 'token') return []
    const gone: GoneToken[] = []
    this.#targets.forEach(({ line }, index) => {
      const outcome = this.#outcomes[index]
      if (outcome?.kind !== 'tokenGone') return
      const { deviceId, value } = decodeTarget(line)
      gone.push({ deviceId, token: value, sinceMs: outcome.sinceMs })
    })
    return gone
  }

  /** How many targets the provider judged, and how many of them it called dead. */
  judgements(): { judged: number; gone: number } {
    const counts = { judged: 0, gone: 0 }
    for (const outcome of this.#outcomes) {
      if (!outcome || outcome.kind === 'retry' || outcome.kind === 'credential') continue
      counts.judged++
      if (outcome.kind === 'tokenGone') counts.gone++
    }
    return counts
  }

  /** Why the credential was refused, if it was. */
  credentialProblem(): string | undefined {
    return this.#outcomes.find((outcome) => outcome?.kind === 'credential')?.reason
  }

  /** Whether the provider took our credential: it judged a target. */
  isCredentialGood(): boolean {
    return this.judgements().judged > 0
  }

  /** What goes back into the queue: what a retry may help, and what was not settled, which goes back at once. */
  left(): Left {
    const left: Left = { retries: [], givenUp: [], expired: 0 }
    for (const { outcome, lines } of this.#groupUnsettled()) {
      const isAmbiguous = outcome?.kind === 'retry' && outcome.maybeDelivered === true
      const ambiguousAttempts = this.#claim.ambiguousAttempts + (isAmbiguous ? 1 : 0)
      const plan = outcome
        ? planRetry(outcome, { ...this.#claim, ambiguousAttempts }, this.#policy)
        : { kind: 'retry' as const, delayMs: 0 }
      const targets = { lines: lines.join('\n'), count: lines.length }
      if (plan.kind === 'retry') left.retries.push({ ...targets, delayMs: plan.delayMs, ambiguousAttempts })
      else if (plan.kind === 'expired') left.expired += lines.length
      else left.givenUp.push({ ...targets, reason: outcome?.reason ?? '' })
    }
    this.#addHeld(left)
    return left
  }

  /** What waits for its limits was not attempted: no attempt is counted, and it gets no older. */
  #addHeld(left: Left): void {
    const { expiresInMs = Number.POSITIVE_INFINITY, ambiguousAttempts } = this.#claim
    for (const { targets, delayMs } of this.#held) {
      if (delayMs > expiresInMs) {
        left.expired += targets.length
        continue
      }
      const lines = targets.map(({ line }) => line).join('\n')
      left.retries.push({ lines, count: targets.length, delayMs, ambiguousAttempts, startsOver: true })
    }
  }

  /** Targets with the same answer share a delay, and so a batch: a hundred separate ones would cost a hundred claims. */
  #groupUnsettled(): Iterable<{ outcome: Unsettled; lines: string[] }> {
    const groups = new Map<string, { outcome: Unsettled; lines: string[] }>()
    this.#targets.forEach(({ line }, index) => {
      const outcome = this.#outcomes[index]
      if (outcome && outcome.kind !== 'retry' && outcome.kind !== 'credential') return
      const key = outcome ? JSON.stringify(outcome) : 'unsettled'
      const group = groups.get(key) ?? { outcome, lines: [] }
      group.lines.push(line)
      groups.set(key, group)
    })
    return groups.values()
  }

  #bits(place: number): number {
    return this.#settledBits[place >> 3] ?? 0
  }
}
