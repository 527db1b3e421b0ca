// What the queue does, in memory and without any of its difficulties; and the same steps on a real one beside it.
import { expect } from 'vitest'
import type { BatchClaim, NewBatch, Queue, SendClaim } from '../../src/queue/queue.ts'
import { makeSend } from './make-send.ts'

/** The numbers choose among what there is, by their remainder. */
export type Step =
  | { kind: 'enqueue'; batches: number }
  | { kind: 'enqueueWalk'; pages: number }
  | { kind: 'claimSend' }
  | { kind: 'commitPage'; which: number }
  | { kind: 'releaseSend'; which: number }
  | { kind: 'claim'; limit: number }
  | { kind: 'acknowledge'; which: number; retries: boolean }
  | { kind: 'release'; which: number }
  | { kind: 'cancel'; which: number }
  /** Time passes, and whoever held something had crashed or hangs. */
  | { kind: 'endLeases' }

interface ModelSend {
  uid: string
  isCancelled: boolean
  /** Of a walk: pages not yet written; undefined when there is nothing (more) to walk. */
  pagesLeft: number | undefined
  /** The walk's last claim, whose commits count. */
  walker: WalkClaim | undefined
  isClaimable: boolean
}

interface WalkClaim {
  send: ModelSend
  claim: SendClaim
}

/** A batch, known by its only target. */
interface ModelBatch {
  label: string
  send: ModelSend
  /** The last claim, whose acknowledgement counts. */
  holder: BatchClaim | undefined
  isClaimable: boolean
}

export interface RealQueue {
  queue: Queue
  /** Ends all leases as if their time had passed. */
  endLeases(): Promise<void>
}

export class QueueModel {
  readonly #real: RealQueue
  readonly #sends: ModelSend[] = []
  readonly #batches = new Map<string, ModelBatch>()
  /** Every claim that was ever handed out, the lost ones too. */
  readonly #claims: BatchClaim[] = []
  readonly #walks: WalkClaim[] = []
  #lastLabel = 0

  constructor(real: RealQueue) {
    this.#real = real
  }

  /** Does a step on both and compares what they say. */
  async run(step: Step): Promise<void> {
    switch (step.kind) {
      case 'enqueue':
        return this.#enqueue(step.batches)
      case 'enqueueWalk':
        return this.#enqueueWalk(step.pages)
      case 'claimSend':
        return this.#claimSend()
      case 'commitPage':
        return this.#commitPage(pick(this.#walks, step.which))
      case 'releaseSend':
        return this.#releaseSend(pick(this.#walks, step.which))
      case 'claim':
        return this.#claim(step.limit)
      case 'acknowledge':
        return this.#acknowledge(pick(this.#claims, step.which), step.retries)
      case 'release':
        return this.#release(pick(this.#claims, step.which))
      case 'cancel':
        return this.#cancel(pick(this.#sends, step.which))
      case 'endLeases':
        return this.#endLeases()
    }
  }

  /** Brings everything to its end and shows that nothing was lost and nothing is left. */
  async drain(): Promise<void> {
    await this.#endLeases()
    while (this.#sends.some(({ isClaimable }) => isClaimable)) {
      await this.#claimSend()
      const walk = this.#walks.at(-1)
      while (walk?.send.walker === walk && walk?.send.pagesLeft !== undefined) await this.#commitPage(walk)
    }
    while (this.#batches.size > 0) {
      await this.#claim(100)
      for (const { holder } of [...this.#batches.values()]) if (holder) await this.#acknowledge(holder, false)
    }
    expect(await this.#real.queue.claimBatches('small', ['fcm'], 100)).toEqual([])
    expect(await this.#real.queue.claimSends('small', 100)).toEqual([])
    for (const { uid } of this.#sends) expect(await this.#real.queue.loadContent(uid)).toBeUndefined()
    const stats = await this.#real.queue.stats()
    expect([stats.waiting.get('fcm') ?? 0, stats.inFlight.get('fcm') ?? 0, stats.deadLetters]).toEqual([0, 0, 0])
  }

  async #enqueue(count: number): Promise<void> {
    const send = this.#addSend(undefined)
    const page = { batches: this.#addBatches(send, count), cursor: undefined }
    expect(await this.#real.queue.enqueue(makeSend({ uid: send.uid, lane: 'small' }), page)).toBe('accepted')
  }

  async #enqueueWalk(pages: number): Promise<void> {
    const send = this.#addSend(pages)
    expect(await this.#real.queue.enqueue(makeSend({ uid: send.uid, lane: 'small' }))).toBe('accepted')
  }

  async #claimSend(): Promise<void> {
    const [claim] = await this.#real.queue.claimSends('small', 1)
    const due = this.#sends.filter(({ isClaimable }) => isClaimable)
    if (!claim) return expect(due).toEqual([])
    const send = due.find(({ uid }) => uid === claim.uid)
    if (!send) throw new Error('a send was handed out that is not due')
    expect(claim.cursor).toBe(send.walker?.claim.cursor)
    send.isClaimable = false
    send.walker = { send, claim }
    this.#walks.push(send.walker)
  }

  async #commitPage(walk: WalkClaim | undefined): Promise<void> {
    if (!walk) return
    const { send } = walk
    const isOurs = send.walker === walk && !send.isCancelled && send.pagesLeft !== undefined
    const isLast = (send.pagesLeft ?? 0) <= 1
    const cursor = isLast ? undefined : `page-${++this.#lastLabel}`
    const page = { batches: this.#newBatches(1), cursor }
    const result = await this.#real.queue.commitPage(walk.claim, page)
    // The end of a walk, committed again by who committed it, is what it was.
    const isRepeat = send.walker === walk && !send.isCancelled && send.pagesLeft === undefined && isLast
    expect(result).toBe(isOurs || isRepeat ? 'committed' : 'lost')
    if (!isOurs) return
    this.#keepBatches(send, page.batches)
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

  async #claim(limit: number): Promise<void> {
    const claims = await this.#real.queue.claimBatches('small', ['fcm'], limit)
    const waiting = [...this.#batches.values()].filter(({ isClaimable }) => isClaimable)
    expect(claims).toHaveLength(Math.min(limit, waiting.length))
    for (const claim of claims) {
      const batch = this.#batches.get(labelOf(claim))
      if (!batch?.isClaimable) throw new Error('a batch was handed out that is not waiting')
      expect(claim.uid).toBe(batch.send.uid)
      expect(claim.sendState).toBe(batch.send.isCancelled ? 'cancelled' : 'live')
      // What a batch says is there for as long as the batch is.
      const content = await this.#real.queue.loadContent(claim.uid)
      expect(content === undefined).toBe(batch.send.isCancelled)
      batch.isClaimable = false
      batch.holder = claim
      this.#claims.push(claim)
    }
  }

  async #acknowledge(claim: BatchClaim | undefined, isRetried: boolean): Promise<void> {
    if (!claim) return
    const batch = this.#heldBy(claim)
    const retries = isRetried ? [{ lines: labelOf(claim), count: 1, delayMs: 0, ambiguousAttempts: 0 }] : []
    const result = await this.#real.queue.acknowledge(claim, { retries, givenUp: [] })
    expect(result).toBe(batch ? 'acknowledged' : 'lost')
    if (!batch) return
    if (!isRetried) this.#batches.delete(batch.label)
    batch.holder = undefined
    batch.isClaimable = true
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

  async #endLeases(): Promise<void> {
    await this.#real.endLeases()
    for (const batch of this.#batches.values()) batch.isClaimable = true
    for (const send of this.#sends) send.isClaimable = send.pagesLeft !== undefined && !send.isCancelled
  }

  #heldBy(claim: BatchClaim): ModelBatch | undefined {
    const batch = this.#batches.get(labelOf(claim))
    return batch?.holder === claim ? batch : undefined
  }

  #addSend(pages: number | undefined): ModelSend {
    const { uid } = makeSend()
    const send = { uid, isCancelled: false, pagesLeft: pages, walker: undefined, isClaimable: pages !== undefined }
    this.#sends.push(send)
    return send
  }

  #addBatches(send: ModelSend, count: number): NewBatch[] {
    const batches = this.#newBatches(count)
    this.#keepBatches(send, batches)
    return batches
  }

  #newBatches(count: number): NewBatch[] {
    return Array.from({ length: count }, () => ({
      provider: 'fcm',
      lane: 'small',
      targetKind: 'token',
      lines: Buffer.from(`\ttoken-${++this.#lastLabel}\t\t`),
      count: 1,
    }))
  }

  #keepBatches(send: ModelSend, batches: readonly NewBatch[]): void {
    for (const { lines } of batches) {
      const label = lines.toString()
      this.#batches.set(label, { label, send, holder: undefined, isClaimable: true })
    }
  }
}

/** A batch of the model has one target, whose line names it. */
function labelOf({ lines }: BatchClaim): string {
  return lines.join('\n')
}

function pick<T>(from: readonly T[], which: number): T | undefined {
  return from[which % Math.max(from.length, 1)]
}
