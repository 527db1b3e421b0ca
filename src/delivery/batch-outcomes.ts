// Collects the outcomes of a batch's targets while it is sent, for the queue, the removal of devices and the metrics.
import type { Outcome } from '../providers/provider.ts'
import { type GivenUp, RANGE_DEVICES, type Retry } from '../queue/batch.ts'
import { decodeTarget } from '../sends/target-line.ts'
import type { OpenBatch, OpenTarget } from './open-batch.ts'
import { listRejections, type Rejection } from './rejections.ts'
import { planRetry, type RetryPolicyOptions } from './retry-policy.ts'

/** A device with a dead token. */
export interface GoneToken {
  deviceId: string
  token: string
  /** Unix time in ms since when the token is dead; undefined if the provider does not report it. */
  sinceMs: number | undefined
}

/** The targets of a batch without a final outcome. */
export interface Unfinished {
  retries: Retry[]
  givenUp: GivenUp[]
  /** The number of targets that expire before their next attempt. */
  expired: number
}

/** Targets that the limits of their send delay. */
export interface Delayed {
  targets: readonly OpenTarget[]
  delayMs: number
}

/** The number of targets with the same outcome and reason. `reason` is empty for `sent`. */
export interface OutcomeCount {
  outcome: Outcome['kind']
  reason: string
  count: number
}

type Repeatable = Extract<Outcome, { kind: 'retry' | 'credential' }>

/** The outcomes of one attempt of a batch. */
export class BatchOutcomes {
  readonly #batch: OpenBatch
  readonly #targets: readonly OpenTarget[]
  readonly #delayed: readonly Delayed[]
  readonly #policy: RetryPolicyOptions
  readonly #upForMs: () => number
  readonly #outcomes: (Outcome | undefined)[]
  /** As `BatchClaim.finished`: also targets that were finished, excluded or dropped before this attempt. */
  readonly #finished: Uint8Array

  /** @param deps `targets` are sent, `delayed` are stored again unsent; all other targets of the batch are finished */
  constructor(deps: {
    batch: OpenBatch
    targets: readonly OpenTarget[]
    delayed?: readonly Delayed[]
    policy: RetryPolicyOptions
    /** Ms since the last outage of the provider. Without it, the provider had none. */
    upForMs?: () => number
  }) {
    this.#batch = deps.batch
    this.#targets = deps.targets
    this.#delayed = deps.delayed ?? []
    this.#policy = deps.policy
    this.#upForMs = deps.upForMs ?? (() => Number.POSITIVE_INFINITY)
    this.#outcomes = new Array(deps.targets.length)
    this.#finished = new Uint8Array(Math.ceil(deps.batch.lines.length / 8)).fill(0xff)
    for (const { place } of [...deps.targets, ...this.#delayed.flatMap(({ targets }) => targets)]) {
      this.#finished[place >> 3] = this.#bits(place) & ~(1 << (place & 7))
    }
  }

  /** Records the outcome of the target at `index`. */
  settle(index: number, outcome: Outcome): void {
    this.#outcomes[index] = outcome
    const target = this.#targets[index]
    if (!target || outcome.kind === 'retry' || outcome.kind === 'credential') return
    this.#finished[target.place >> 3] = this.#bits(target.place) | (1 << (target.place & 7))
  }

  /** Whether the target has an outcome in this attempt. */
  isSettled(index: number): boolean {
    return this.#outcomes[index] !== undefined
  }

  /** Settles all targets without an outcome. */
  settleRest(outcome: Outcome): void {
    for (const index of this.#targets.keys()) if (!this.#outcomes[index]) this.settle(index, outcome)
  }

  /** A copy of the progress, as in `BatchClaim.finished`. */
  finishedBits(): Uint8Array {
    return this.#finished.slice()
  }

  /** Counts the outcomes. */
  counts(): OutcomeCount[] {
    const counts = new Map<string, OutcomeCount>()
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

  /** The targets that the provider rejected. */
  rejections(): Rejection[] {
    return listRejections(this.#batch.provider, this.#targets, this.#outcomes)
  }

  /** The devices to remove. */
  goneTokens(): GoneToken[] {
    if (this.#batch.targetKind !== 'token') return []
    const gone: GoneToken[] = []
    this.#targets.forEach(({ line }, index) => {
      const outcome = this.#outcomes[index]
      if (outcome?.kind !== 'tokenGone') return
      const { deviceId, value } = decodeTarget(line)
      gone.push({ deviceId, token: value, sinceMs: outcome.sinceMs })
    })
    return gone
  }

  /** The number of targets that the provider judged, and how many of their tokens it reported as dead. */
  judgements(): { judged: number; gone: number } {
    const counts = { judged: 0, gone: 0 }
    for (const outcome of this.#outcomes) {
      if (!outcome || outcome.kind === 'retry' || outcome.kind === 'credential') continue
      counts.judged++
      if (outcome.kind === 'tokenGone') counts.gone++
    }
    return counts
  }

  /** The reason for which the provider refused the credential; undefined if it did not. */
  credentialProblem(): string | undefined {
    return this.#outcomes.find((outcome) => outcome?.kind === 'credential')?.reason
  }

  /** Whether the provider accepted the credential: it judged a target. */
  isCredentialGood(): boolean {
    return this.judgements().judged > 0
  }

  /** The targets that return to the queue: retries and targets given up. Targets without an outcome are due at once. */
  unfinished(): Unfinished {
    const unfinished: Unfinished = { retries: [], givenUp: [], expired: 0 }
    const upForMs = this.#upForMs()
    for (const { outcome, lines } of this.#groupUnfinished()) {
      const ambiguousAttempts = this.#batch.ambiguousAttempts + (outcome && countsAsAmbiguous(outcome) ? 1 : 0)
      const plan = outcome
        ? planRetry(outcome, { ...this.#batch, upForMs, ambiguousAttempts }, this.#policy)
        : { kind: 'retry' as const, delayMs: 0 }
      const stored = storeLines(lines)
      if (plan.kind === 'retry') unfinished.retries.push({ ...stored, delayMs: plan.delayMs, ambiguousAttempts })
      else if (plan.kind === 'expired') unfinished.expired += lines.length
      else unfinished.givenUp.push({ ...stored, reason: outcome?.reason ?? '' })
    }
    this.#addUnattempted(unfinished)
    return unfinished
  }

  /** Delayed targets, and the rest of a range, were not attempted: attempts and age start over. */
  #addUnattempted(unfinished: Unfinished): void {
    const { expiresInMs = Number.POSITIVE_INFINITY, ambiguousAttempts, rest } = this.#batch
    for (const { targets, delayMs } of this.#delayed) {
      if (delayMs > expiresInMs) {
        unfinished.expired += targets.length
        continue
      }
      const stored = storeLines(targets.map(({ line }) => line))
      unfinished.retries.push({ ...stored, delayMs, ambiguousAttempts, startsOver: true })
    }
    if (rest) unfinished.retries.push(makeRestRetry(rest))
  }

  /** Targets with the same outcome share a delay and a batch: a batch for each target would cost a claim for each. */
  #groupUnfinished(): Iterable<{ outcome: Repeatable | undefined; lines: string[] }> {
    const groups = new Map<string, { outcome: Repeatable | undefined; lines: string[] }>()
    this.#targets.forEach(({ line }, index) => {
      const outcome = this.#outcomes[index]
      if (outcome && outcome.kind !== 'retry' && outcome.kind !== 'credential') return
      const key = outcome ? JSON.stringify(outcome) : 'none'
      const group = groups.get(key) ?? { outcome, lines: [] }
      group.lines.push(line)
      groups.set(key, group)
    })
    return groups.values()
  }

  #bits(place: number): number {
    return this.#finished[place >> 3] ?? 0
  }
}

/** An attempt in an outage does not count, although the provider may have accepted it. */
function countsAsAmbiguous(outcome: Repeatable): boolean {
  return outcome.kind === 'retry' && outcome.maybeDelivered === true && outcome.outageDelayMs === undefined
}

function storeLines(lines: readonly string[]): Pick<Retry, 'targets' | 'count'> {
  return { targets: { kind: 'lines', lines: lines.join('\n') }, count: lines.length }
}

/** The rest of a range as a batch of its own, due at once. */
export function makeRestRetry(rest: NonNullable<OpenBatch['rest']>): Retry {
  return {
    targets: { kind: 'range', range: rest },
    count: RANGE_DEVICES,
    delayMs: 0,
    ambiguousAttempts: 0,
    startsOver: true,
  }
}
