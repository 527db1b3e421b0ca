// Collects the outcomes of a batch's targets while it is sent, for the queue, the removal of devices and the metrics.
import type { Outcome } from '../providers/provider.ts'
import type { GivenUp, Retry } from '../queue/batch.ts'
import type { Delayed } from './admit-targets.ts'
import { type EndedTargets, expire, type PostponedTargets } from './ended-targets.ts'
import { type FinishedGroup, linesOf } from './finished-note.ts'
import { type GoneToken, listGoneTokens } from './gone-tokens.ts'
import type { OpenBatch, OpenTarget } from './open-batch.ts'
import { isFinal, isRefusal, type Repeatable } from './outcome-kinds.ts'
import { listRejections, type Rejection } from './rejections.ts'
import { planRetry, type RetryPolicyOptions } from './retry-policy.ts'
import { makeRestRetry, storeLines } from './stored-retry.ts'

/** The targets of a batch without a final outcome. */
export interface Unfinished {
  retries: Retry[]
  givenUp: GivenUp[]
  /** The targets that are given up, and those that expire before their next attempt. */
  ended: EndedTargets[]
  /** The targets of the retries that a provider answered or a limit delayed. */
  postponed: PostponedTargets[]
}

/** The outcome of sent targets if their messages' ids are not kept: those of a batch would survive many collections. */
const SENT: Outcome = { kind: 'sent', messageId: '' }

/** Targets with the same outcome, and their latencies in ms. */
interface UnfinishedGroup {
  outcome: Repeatable | undefined
  lines: string[]
  latenciesMs: number[]
}

/** The outcomes of one attempt of a batch. */
export class BatchOutcomes {
  readonly #batch: OpenBatch
  readonly #targets: readonly OpenTarget[]
  readonly #delayed: readonly Delayed[]
  readonly #policy: RetryPolicyOptions
  readonly #keepsMessageIds: boolean
  readonly #upForMs: () => number
  readonly #outcomes: (Outcome | undefined)[]
  readonly #beganAtMs = performance.now()
  /** The number of targets that the provider accepted. */
  #sent = 0
  /** Only of targets that are not finished, by their index. Undefined while all are. */
  #latenciesMs: Map<number, number> | undefined
  /** As `BatchClaim.finished`: also targets that were finished, excluded or dropped before this attempt. */
  readonly #finished: Uint8Array
  /** 1 at the index of each target that `takeEnded` has returned. */
  readonly #taken: Uint8Array
  #sentTaken = 0

  /** @param deps `targets` are sent, `delayed` are stored again unsent; all other targets of the batch are finished */
  constructor(deps: {
    batch: OpenBatch
    targets: readonly OpenTarget[]
    delayed?: readonly Delayed[]
    policy: RetryPolicyOptions
    /** Whether the ids that the provider gave are kept. Without it they are. */
    keepsMessageIds?: boolean
    /** Ms since the last outage of the provider. Without it, the provider had none. */
    upForMs?: () => number
  }) {
    this.#batch = deps.batch
    this.#targets = deps.targets
    this.#delayed = deps.delayed ?? []
    this.#policy = deps.policy
    this.#keepsMessageIds = deps.keepsMessageIds ?? true
    this.#upForMs = deps.upForMs ?? (() => Number.POSITIVE_INFINITY)
    this.#outcomes = new Array(deps.targets.length)
    this.#taken = new Uint8Array(deps.targets.length)
    this.#finished = new Uint8Array(Math.ceil(deps.batch.lines.length / 8)).fill(0xff)
    this.#open(deps.targets)
    for (const { targets } of this.#delayed) this.#open(targets)
  }

  /** Records the outcome of the target at `index`. */
  settle(index: number, outcome: Outcome): void {
    if (this.#outcomes[index]?.kind === 'sent') this.#sent--
    this.#outcomes[index] = outcome.kind === 'sent' && !this.#keepsMessageIds ? SENT : outcome
    if (outcome.kind === 'sent') this.#sent++
    const target = this.#targets[index]
    if (!target) return
    if (!isFinal(outcome)) {
      this.#latenciesMs ??= new Map()
      this.#latenciesMs.set(index, performance.now() - this.#beganAtMs)
      return
    }
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

  /** The finished targets that the provider refused. @param isWanted selects them by their index; by default all */
  refused(isWanted: (index: number) => boolean = () => true): FinishedGroup[] {
    if (this.#areAllSent) return []
    const groups = new Map<string, FinishedGroup>()
    this.#targets.forEach(({ place }, index) => {
      const outcome = this.#outcomes[index]
      if (!isRefusal(outcome) || !isWanted(index)) return
      const group = groups.get(outcome.reason)
      if (group) group.places.push(place)
      else groups.set(outcome.reason, { outcome: 'failed', reason: outcome.reason, places: [place] })
    })
    return [...groups.values()]
  }

  /** The targets that the provider accepted or refused since the last call. */
  takeEnded(): EndedTargets[] {
    const sent = this.#takeSent()
    const refused = this.refused((index) => !this.#taken[index]).map((group): EndedTargets => {
      return { outcome: group.outcome, reason: group.reason, message: '', lines: linesOf(this.#batch, group) }
    })
    if (refused.length > 0) for (const index of this.#targets.keys()) if (this.#outcomes[index]) this.#taken[index] = 1
    return sent ? [sent, ...refused] : refused
  }

  /** The targets that the provider accepted since the last call. */
  #takeSent(): EndedTargets | undefined {
    const count = this.#sent - this.#sentTaken
    if (count <= 0) return undefined
    this.#sentTaken = this.#sent
    const group = { outcome: 'sent', reason: '', message: '' } as const
    // Most batches of a broadcast: to copy their lines would be a large part of the garbage.
    if (count === this.#batch.lines.length && !this.#keepsMessageIds) return { ...group, lines: this.#batch.lines }
    const lines = new Array<string>(count)
    const messageIds = new Array<string>(this.#keepsMessageIds ? count : 0)
    let taken = 0
    this.#targets.forEach(({ line }, index) => {
      const outcome = this.#outcomes[index]
      if (outcome?.kind !== 'sent' || this.#taken[index]) return
      this.#taken[index] = 1
      lines[taken] = line
      if (this.#keepsMessageIds) messageIds[taken] = outcome.messageId
      taken++
    })
    return this.#keepsMessageIds ? { ...group, lines, messageIds } : { ...group, lines }
  }

  /** The targets that the provider rejected. */
  rejections(): Rejection[] {
    return this.#areAllSent ? [] : listRejections(this.#batch.provider, this.#targets, this.#outcomes)
  }

  /** The devices to remove. */
  goneTokens(): GoneToken[] {
    if (this.#areAllSent || this.#batch.targetKind !== 'token') return []
    return listGoneTokens(this.#targets, this.#outcomes)
  }

  /** The number of targets that the provider judged, and how many of their tokens it reported as dead. */
  judgements(): { judged: number; gone: number } {
    if (this.#areAllSent) return { judged: this.#sent, gone: 0 }
    const counts = { judged: 0, gone: 0 }
    for (const outcome of this.#outcomes) {
      if (!isFinal(outcome)) continue
      counts.judged++
      if (outcome.kind === 'tokenGone') counts.gone++
    }
    return counts
  }

  /** The reason for which the provider refused the credential; undefined if it did not. */
  credentialProblem(): string | undefined {
    if (this.#areAllSent) return undefined
    return this.#outcomes.find((outcome) => outcome?.kind === 'credential')?.reason
  }

  /** Whether the provider accepted the credential: it judged a target. */
  isCredentialGood(): boolean {
    return this.judgements().judged > 0
  }

  /** The targets that return to the queue: retries and targets given up. Targets without an outcome are due at once. */
  unfinished(): Unfinished {
    const unfinished: Unfinished = { retries: [], givenUp: [], ended: [], postponed: [] }
    for (const { outcome, lines, latenciesMs } of this.#groupUnfinished()) {
      const ambiguousAttempts = this.#batch.ambiguousAttempts + (outcome && countsAsAmbiguous(outcome) ? 1 : 0)
      const plan = outcome
        ? planRetry(outcome, { ...this.#batch, upForMs: this.#upForMs(), ambiguousAttempts }, this.#policy)
        : { kind: 'retry' as const, delayMs: 0 }
      const stored = storeLines(lines)
      const reason = outcome?.reason ?? ''
      if (plan.kind === 'retry') {
        unfinished.retries.push({ ...stored, delayMs: plan.delayMs, ambiguousAttempts })
        if (outcome) unfinished.postponed.push({ reason, message: '', lines, latenciesMs })
      } else if (plan.kind === 'expired') {
        unfinished.ended.push(expire(lines, `expires before the next attempt, after ${reason}`))
      } else {
        unfinished.givenUp.push({ ...stored, reason })
        const message = `given up after attempt ${this.#batch.attempt}`
        unfinished.ended.push({ outcome: 'failed', reason, message, lines })
      }
    }
    this.#addUnattempted(unfinished)
    return unfinished
  }

  /** Delayed targets, and the rest of a range, were not attempted: attempts and age start over. */
  #addUnattempted(unfinished: Unfinished): void {
    const { expiresInMs = Number.POSITIVE_INFINITY, ambiguousAttempts, rest } = this.#batch
    for (const { targets, delayMs, reason } of this.#delayed) {
      const lines = targets.map(({ line }) => line)
      if (delayMs > expiresInMs) {
        unfinished.ended.push(expire(lines, `expires before the end of its delay, ${reason}`))
        continue
      }
      unfinished.retries.push({ ...storeLines(lines), delayMs, ambiguousAttempts, startsOver: true })
      unfinished.postponed.push({ reason, message: '', lines })
    }
    if (rest) unfinished.retries.push(makeRestRetry(rest))
  }

  /** Targets with the same outcome share a delay and a batch: a batch for each target would cost a claim for each. */
  #groupUnfinished(): Iterable<UnfinishedGroup> {
    if (this.#areAllSent) return []
    const groups = new Map<string, UnfinishedGroup>()
    this.#targets.forEach(({ line }, index) => {
      const outcome = this.#outcomes[index]
      if (isFinal(outcome)) return
      const key = outcome ? JSON.stringify(outcome) : 'none'
      const group = groups.get(key) ?? { outcome, lines: [], latenciesMs: [] }
      group.lines.push(line)
      group.latenciesMs.push(this.#latenciesMs?.get(index) ?? 0)
      groups.set(key, group)
    })
    return groups.values()
  }

  /** Most batches of a broadcast have no other outcome: then no list of the others is made. */
  get #areAllSent(): boolean {
    return this.#sent === this.#targets.length
  }

  #open(targets: readonly OpenTarget[]): void {
    for (const { place } of targets) this.#finished[place >> 3] = this.#bits(place) & ~(1 << (place & 7))
  }

  #bits(place: number): number {
    return this.#finished[place >> 3] ?? 0
  }
}

/** An attempt in an outage does not count, although the provider may have accepted it. */
function countsAsAmbiguous(outcome: Repeatable): boolean {
  return outcome.kind === 'retry' && outcome.maybeDelivered === true && outcome.outageDelayMs === undefined
}
