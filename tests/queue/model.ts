// A model of the queue in memory, without concurrency and failures. It also runs each step on a real queue, and
// compares the results.
import { expect } from 'vitest'
import type { BatchClaim, BatchTargets, NewBatch, Retry } from '../../src/queue/batch.ts'
import type { Lane } from '../../src/queue/lane.ts'
import type { Queue } from '../../src/queue/queue.ts'
import type { SendClaim } from '../../src/queue/send.ts'
import { makeSend } from './make-send.ts'
import { listCounts, ModelReport, makeLeftOut } from './model-report.ts'

export type TargetsKind = BatchTargets<unknown>['kind']

/** A batch of a page. */
export interface BatchPlan {
  kind: TargetsKind
  lane: Lane
}

/** `which` selects one of the sends or claims so far, by its remainder. */
export type Step =
  | { kind: 'enqueue'; batches: number }
  | { kind: 'enqueueWalk'; pages: number }
  | { kind: 'claimSend' }
  | { kind: 'commitPage'; which: number; batches: readonly BatchPlan[]; leftOut: number }
  | { kind: 'releaseSend'; which: number }
  | { kind: 'claim'; lane: Lane; limit: number }
  /** Acknowledges batches at the same time. Retries of a batch of lines have lines, even if a range is asked for. */
  | { kind: 'acknowledge'; ends: readonly { which: number; retries: readonly TargetsKind[] }[] }
  | { kind: 'release'; which: number }
  | { kind: 'cancel'; which: number }
  | { kind: 'readReport'; which: number }
  /** All leases end, so each claim is abandoned, as if its worker had crashed. */
  | { kind: 'endLeases' }

interface ModelSend {
  uid: string
  isCancelled: boolean
  /** Pages of its walk that are not committed; undefined when there is no walk, or it has ended. */
  pagesLeft: number | undefined
  /** The last claim of the walk, the only valid one. */
  walker: WalkClaim | undefined
  isClaimable: boolean
  report: ModelReport
}

interface WalkClaim {
  send: ModelSend
  claim: SendClaim
}

/** A batch. Its label is its only line, or its range. */
interface ModelBatch {
  label: string
  send: ModelSend
  lane: Lane
  /** The last claim, the only valid one. */
  holder: BatchClaim | undefined
  isClaimable: boolean
  isRetry: boolean
}

/** The queue that is compared with the model. */
export interface RealQueue {
  queue: Queue
  /** Ends all leases as if their time had passed. */
  endLeases(): Promise<void>
}

const RECIPIENT = {
  kind: 'filter',
  filter: { ids: [], users: [], topics: [], providers: ['fcm'], platforms: [] },
} as const

/** The model, with the real queue beside it. */
export class QueueModel {
  readonly #real: RealQueue
  readonly #sends: ModelSend[] = []
  readonly #batches = new Map<string, ModelBatch>()
  /** Every claim so far, also lost ones. */
  readonly #claims: BatchClaim[] = []
  readonly #walks: WalkClaim[] = []
  #lastNumber = 0

  constructor(real: RealQueue) {
    this.#real = real
  }

  /** Runs a step on both and compares the results. */
  async run(step: Step): Promise<void> {
    switch (step.kind) {
      case 'enqueue':
        return this.#enqueue(step.batches)
      case 'enqueueWalk':
        return this.#enqueueWalk(step.pages)
      case 'claimSend':
        return this.#claimSend()
      case 'commitPage':
        return this.#commitPage(pick(this.#walks, step.which), step.batches, step.leftOut)
      case 'releaseSend':
        return this.#releaseSend(pick(this.#walks, step.which))
      case 'claim':
        return this.#claim(step.lane, step.limit)
      case 'acknowledge':
        return this.#acknowledgeTogether(step.ends)
      case 'release':
        return this.#release(pick(this.#claims, step.which))
      case 'cancel':
        return this.#cancel(pick(this.#sends, step.which))
      case 'readReport':
        return this.#readReport(pick(this.#sends, step.which))
      case 'endLeases':
        return this.#endLeases()
    }
  }

  /** Ends all sends, and checks that no batch was lost and none is left. */
  async drain(): Promise<void> {
    const { queue } = this.#real
    await this.#endLeases()
    while (this.#sends.some(({ isClaimable }) => isClaimable)) {
      await this.#claimSend()
      const walk = this.#walks.at(-1)
      while (walk?.send.walker === walk && walk?.send.pagesLeft !== undefined) {
        await this.#commitPage(walk, [{ kind: 'range', lane: 'broadcast' }], 1)
      }
    }
    while (this.#batches.size > 0) {
      await this.#claim('small', 100)
      await this.#claim('broadcast', 100)
      const holders = [...this.#batches.values()].flatMap(({ holder }) => holder ?? [])
      await Promise.all(holders.map((holder) => this.#acknowledge(holder, [])))
    }
    expect(await queue.claimBatches('small', ['fcm'], 100)).toEqual([])
    expect(await queue.claimBatches('broadcast', ['fcm'], 100)).toEqual([])
    expect(await queue.claimSends('small', 100)).toEqual([])
    for (const { uid } of this.#sends) expect(await queue.loadSend(uid)).toBeUndefined()
    for (const send of this.#sends) await this.#readReport(send)
    const stats = await queue.stats()
    expect([stats.waiting.get('fcm') ?? 0, stats.inFlight.get('fcm') ?? 0, stats.deadLetters]).toEqual([0, 0, 0])
  }

  async #enqueue(count: number): Promise<void> {
    const send = this.#addSend(undefined)
    const batches = this.#makeBatches(Array.from({ length: count }, () => ({ kind: 'lines', lane: 'small' })))
    const page = { batches, cursor: undefined }
    expect(await this.#real.queue.enqueue(makeSend({ uid: send.uid, lane: 'small' }), page)).toBe('accepted')
    this.#addBatches(send, batches)
    send.report.addPage(page)
  }

  async #enqueueWalk(pages: number): Promise<void> {
    const { uid } = this.#addSend(pages)
    expect(await this.#real.queue.enqueue(makeSend({ uid, lane: 'small', recipient: RECIPIENT }))).toBe('accepted')
  }

  async #claimSend(): Promise<void> {
    const [claim] = await this.#real.queue.claimSends('small', 1)
    const due = this.#sends.filter(({ isClaimable }) => isClaimable)
    if (!claim) return expect(due).toEqual([])
    const send = due.find(({ uid }) => uid === claim.uid)
    if (!send) throw new Error('a send was claimed that is not due')
    expect(claim.cursor).toBe(send.walker?.claim.cursor)
    send.isClaimable = false
    send.walker = { send, claim }
    this.#walks.push(send.walker)
  }

  async #commitPage(walk: WalkClaim | undefined, plans: readonly BatchPlan[], leftOutCount: number): Promise<void> {
    if (!walk) return
    const { send } = walk
    const isValid = send.walker === walk && !send.isCancelled && send.pagesLeft !== undefined
    const isLast = (send.pagesLeft ?? 0) <= 1
    const cursor = isLast ? undefined : `page-${++this.#lastNumber}`
    const leftOut = makeLeftOut(leftOutCount)
    const page = { batches: this.#makeBatches(plans), leftOut, cursor }
    const result = await this.#real.queue.commitPage(walk.claim, page)
    // A walker that commits the last page again gets the same result.
    const isRepeat = send.walker === walk && !send.isCancelled && send.pagesLeft === undefined && isLast
    expect(result).toBe(isValid || isRepeat ? 'committed' : 'lost')
    if (!isValid) return
    this.#addBatches(send, page.batches)
    send.report.addPage(page)
    walk.claim = { ...walk.claim, cursor }
    send.pagesLeft = isLast ? undefined : (send.pagesLeft ?? 0) - 1
    send.isClaimable = false
  }

  async #releaseSend(walk: WalkClaim | undefined): Promise<void> {
    if (!walk) return
    await this.#real.queue.releaseSend(walk.claim)
    const { send } = walk
    if (send.walker === walk && !send.isCancelled && send.pagesLeft !== undefined) send.isClaimable = true
  }

  async #claim(lane: Lane, limit: number): Promise<void> {
    const claims = await this.#real.queue.claimBatches(lane, ['fcm'], limit)
    const waiting = [...this.#batches.values()].filter((batch) => batch.isClaimable && batch.lane === lane)
    expect(claims).toHaveLength(Math.min(limit, waiting.length))
    for (const claim of claims) {
      const batch = waiting.find(({ label }) => label === labelOf(claim.targets))
      if (!batch?.isClaimable) throw new Error('a batch was claimed that is not waiting')
      await this.#compareSend(claim, batch.send)
      expect(claim.isRetry).toBe(batch.isRetry)
      batch.isClaimable = false
      batch.holder = claim
      this.#claims.push(claim)
    }
  }

  /** The parts of a send that its batches need are stored as long as they are. */
  async #compareSend({ uid, sendState, targets }: BatchClaim, send: ModelSend): Promise<void> {
    expect(uid).toBe(send.uid)
    expect(sendState).toBe(send.isCancelled ? 'cancelled' : 'live')
    const stored = await this.#real.queue.loadSend(uid)
    expect(stored?.content === undefined).toBe(send.isCancelled)
    if (targets.kind === 'range') expect(stored?.recipient).toEqual(RECIPIENT)
  }

  async #acknowledgeTogether(ends: Extract<Step, { kind: 'acknowledge' }>['ends']): Promise<void> {
    const retriesOf = new Map(ends.map(({ which, retries }) => [pick(this.#claims, which), retries]))
    await Promise.all([...retriesOf].map(([claim, retries]) => claim && this.#acknowledge(claim, retries)))
  }

  async #acknowledge(claim: BatchClaim, kinds: readonly TargetsKind[]): Promise<void> {
    const batch = this.#heldBy(claim)
    const possible = claim.targets.kind === 'range' ? kinds : kinds.map(() => 'lines' as const)
    const retries = possible.map((kind): Retry => ({ ...this.#makeTargets(kind), delayMs: 0, ambiguousAttempts: 0 }))
    const counts = listCounts(claim, retries)
    const result = await this.#real.queue.acknowledge(claim, { retries, givenUp: [], counts })
    expect(result).toBe(batch ? 'acknowledged' : 'lost')
    if (!batch) return
    this.#batches.delete(batch.label)
    batch.send.report.add(counts)
    this.#addBatches(
      batch.send,
      retries.map(({ targets }) => ({ targets, lane: batch.lane })),
      true,
    )
  }

  async #release(claim: BatchClaim | undefined): Promise<void> {
    if (!claim) return
    await this.#real.queue.release([claim])
    const batch = this.#heldBy(claim)
    if (!batch) return
    batch.holder = undefined
    batch.isClaimable = true
  }

  async #cancel(send: ModelSend | undefined): Promise<void> {
    if (!send) return
    await this.#real.queue.cancel(send.uid)
    const isOver = send.pagesLeft === undefined && ![...this.#batches.values()].some((batch) => batch.send === send)
    if (isOver) return
    send.isCancelled = true
    send.isClaimable = false
  }

  async #readReport(send: ModelSend | undefined): Promise<void> {
    if (!send) return
    const isOpen = [...this.#batches.values()].some((batch) => batch.send === send)
    const hasEnded = !isOpen && (send.isCancelled || send.pagesLeft === undefined)
    const state = send.isCancelled ? 'cancelled' : hasEnded ? 'ended' : 'active'
    send.report.compare(await this.#real.queue.loadReport(send.uid), { state, hasEnded })
  }

  async #endLeases(): Promise<void> {
    await this.#real.endLeases()
    for (const batch of this.#batches.values()) batch.isClaimable = true
    for (const send of this.#sends) send.isClaimable = send.pagesLeft !== undefined && !send.isCancelled
  }

  #heldBy(claim: BatchClaim): ModelBatch | undefined {
    const batch = this.#batches.get(labelOf(claim.targets))
    return batch?.holder === claim ? batch : undefined
  }

  #addSend(pages: number | undefined): ModelSend {
    const isClaimable = pages !== undefined
    const report = new ModelReport()
    const send = { uid: makeSend().uid, isCancelled: false, pagesLeft: pages, walker: undefined, isClaimable, report }
    this.#sends.push(send)
    return send
  }

  #addBatches(
    send: ModelSend,
    batches: readonly { targets: BatchTargets<Buffer | string>; lane: Lane }[],
    isRetry = false,
  ): void {
    for (const { targets, lane } of batches) {
      const label = labelOf(targets)
      this.#batches.set(label, { label, send, lane, holder: undefined, isClaimable: true, isRetry })
    }
  }

  #makeBatches(plans: readonly BatchPlan[]): NewBatch[] {
    return plans.map(({ kind, lane }) => {
      const { targets, count } = this.#makeTargets(kind)
      const encoded = targets.kind === 'range' ? targets : { ...targets, lines: Buffer.from(targets.lines) }
      return { provider: 'fcm', lane, targetKind: 'token', targets: encoded, count }
    })
  }

  /** Targets with a label of their own. */
  #makeTargets(kind: TargetsKind): Pick<Retry, 'targets' | 'count'> {
    const number = ++this.#lastNumber
    const device = deviceOf(number)
    if (kind === 'lines') return { targets: { kind, lines: `${device}\ttoken-${number}\t\t` }, count: 1 }
    const after = number % 5 === 0 ? undefined : deviceOf(number - 1)
    return { targets: { kind, range: { after, until: device } }, count: 500 }
  }
}

/** Device ids in the order of the numbers. */
function deviceOf(number: number): string {
  return `00000000-0000-0000-0000-${String(number).padStart(12, '0')}`
}

function labelOf(targets: BatchTargets<Buffer | string | string[]>): string {
  if (targets.kind === 'range') return `${targets.range.after ?? 'start'} to ${targets.range.until}`
  return String(targets.lines)
}

function pick<T>(from: readonly T[], which: number): T | undefined {
  return from[which % Math.max(from.length, 1)]
}
