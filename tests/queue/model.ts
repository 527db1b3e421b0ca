// What the queue does, in memory and without any of its difficulties; and the same steps on a real one beside it.
import { expect } from 'vitest'
import type { BatchClaim, NewBatch } from '../../src/queue/batch.ts'
import type { Lane } from '../../src/queue/lane.ts'
import type { LostPart, PageClaim, Queue, TakenPages } from '../../src/queue/queue.ts'
import type { SendClaim } from '../../src/queue/send.ts'
import { makeSend } from './make-send.ts'

/** The numbers choose among what there is, by their remainder. */
export type Step =
  | { kind: 'enqueue'; batches: number }
  | { kind: 'enqueueWalk'; pages: number }
  | { kind: 'claimSend' }
  | { kind: 'commitPage'; which: number }
  | { kind: 'releaseSend'; which: number }
  | { kind: 'claim'; lane: Lane; limit: number }
  | { kind: 'acknowledge'; which: number; retries: boolean }
  | { kind: 'release'; which: number }
  | { kind: 'cancel'; which: number }
  /** Those of taken pages; nothing where the store has none. */
  | { kind: 'enqueueTaken'; pages: number }
  | { kind: 'claimTaken' }
  | { kind: 'takePage'; which: number }
  | { kind: 'releaseTaken'; which: number }
  | { kind: 'openPage'; which: number; batches: number }
  | { kind: 'claimLost' }
  | { kind: 'restore'; which: number; batches: number }
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
  /** Its pages are taken. */
  takesPages: boolean
  /** What its last page left, where pages are taken. */
  cursor: string | undefined
}

interface WalkClaim {
  send: ModelSend
  claim: SendClaim
}

/** A page that was taken and has not become batches. */
interface ModelPage {
  send: ModelSend
  /** The last claim, which may open or restore it. */
  holder: PageClaim
  isLost: boolean
}

/** A batch, known by its only target. */
interface ModelBatch {
  label: string
  send: ModelSend
  lane: Lane
  /** Claimable is by who looks for what is lost then: the store has no lines. */
  isTaken: boolean
  id: string | undefined
  /** Who claimed it as lost. */
  finder: LostPart | undefined
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
  readonly #takenWalks: WalkClaim[] = []
  readonly #pages = new Map<string, ModelPage>()
  /** Every claim of a page that was ever handed out. */
  readonly #pageClaims: PageClaim[] = []
  readonly #lost: LostPart[] = []
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
        return this.#claim(step.lane, step.limit)
      case 'acknowledge':
        return this.#acknowledge(pick(this.#claims, step.which), step.retries)
      case 'release':
        return this.#release(pick(this.#claims, step.which))
      case 'cancel':
        return this.#cancel(pick(this.#sends, step.which))
      case 'endLeases':
        return this.#endLeases()
      default:
        if (this.#real.queue.takenPages) await this.#runTaken(step, this.#real.queue.takenPages)
    }
  }

  async #runTaken(step: Step, taken: TakenPages): Promise<void> {
    switch (step.kind) {
      case 'enqueueTaken':
        return this.#enqueueTaken(step.pages)
      case 'claimTaken':
        return this.#claimTaken(taken)
      case 'takePage':
        return this.#takePage(taken, pick(this.#takenWalks, step.which))
      case 'releaseTaken':
        return this.#releaseTaken(taken, pick(this.#takenWalks, step.which))
      case 'openPage':
        return this.#openPage(taken, pick(this.#pageClaims, step.which), step.batches)
      case 'claimLost':
        return this.#claimLost(taken)
      case 'restore':
        return this.#restore(taken, pick(this.#lost, step.which), step.batches)
    }
  }

  /** Brings everything to its end and shows that nothing was lost and nothing is left. */
  async drain(): Promise<void> {
    await this.#endLeases()
    if (this.#real.queue.takenPages) await this.#drainTaken(this.#real.queue.takenPages)
    while (this.#sends.some(({ isClaimable }) => isClaimable)) {
      await this.#claimSend()
      const walk = this.#walks.at(-1)
      while (walk?.send.walker === walk && walk?.send.pagesLeft !== undefined) await this.#commitPage(walk)
    }
    while (this.#batches.size > 0) {
      await this.#claim('small', 100)
      await this.#claim('broadcast', 100)
      for (const { holder } of [...this.#batches.values()]) if (holder) await this.#acknowledge(holder, false)
    }
    expect(await this.#real.queue.claimBatches('small', ['fcm'], 100)).toEqual([])
    expect(await this.#real.queue.claimSends('small', 100)).toEqual([])
    expect(await this.#real.queue.claimBatches('broadcast', ['fcm'], 100)).toEqual([])
    expect(await this.#real.queue.takenPages?.claimSend()).toBeUndefined()
    expect((await this.#real.queue.takenPages?.claimLost(100)) ?? []).toEqual([])
    for (const { uid } of this.#sends) expect(await this.#real.queue.loadContent(uid)).toBeUndefined()
    const stats = await this.#real.queue.stats()
    expect([stats.waiting.get('fcm') ?? 0, stats.inFlight.get('fcm') ?? 0, stats.deadLetters]).toEqual([0, 0, 0])
  }

  async #drainTaken(taken: TakenPages): Promise<void> {
    while (this.#sends.some(({ isClaimable, takesPages }) => isClaimable && takesPages)) {
      await this.#claimTaken(taken)
      await this.#takePage(taken, this.#takenWalks.at(-1))
      await this.#openPage(taken, this.#pageClaims.at(-1), 2)
    }
    await this.#endLeases()
    while (this.#pages.size > 0 || [...this.#batches.values()].some(({ isTaken }) => isTaken)) {
      await this.#claimLost(taken)
      for (const part of this.#lost.splice(0)) await this.#restore(taken, part, 1)
    }
  }

  async #enqueueTaken(pages: number): Promise<void> {
    const send = this.#addSend(pages, true)
    expect(await this.#real.queue.enqueue(makeSend({ uid: send.uid, takesPages: true, recipient: EVERYONE }))).toBe(
      'accepted',
    )
  }

  async #claimTaken(taken: TakenPages): Promise<void> {
    const claim = await taken.claimSend()
    const due = this.#sends.filter(({ isClaimable, takesPages }) => isClaimable && takesPages)
    if (!claim) return expect(due).toEqual([])
    const send = due.find(({ uid }) => uid === claim.uid)
    if (!send) throw new Error('a send was handed out that is not due')
    expect(claim.cursor).toBe(send.cursor)
    send.isClaimable = false
    send.walker = { send, claim }
    this.#takenWalks.push(send.walker)
  }

  async #takePage(taken: TakenPages, walk: WalkClaim | undefined): Promise<void> {
    if (!walk) return
    const { send, claim } = walk
    const isOurs = send.walker === walk && !send.isCancelled && send.pagesLeft !== undefined
    const isLast = (send.pagesLeft ?? 0) <= 1
    const until = isLast ? undefined : deviceOf(++this.#lastLabel)
    const page = await taken.takePage(claim, until)
    if (!isOurs) return expect(page).toBe('lost')
    if (page === 'lost') throw new Error('a page was refused to who has the walk')
    expect(page.range).toEqual({ after: send.cursor, until })
    this.#pages.set(page.id, { send, holder: page, isLost: false })
    this.#pageClaims.push(page)
    send.walker = undefined
    send.cursor = until
    send.pagesLeft = isLast ? undefined : (send.pagesLeft ?? 0) - 1
    send.isClaimable = !isLast
  }

  async #releaseTaken(taken: TakenPages, walk: WalkClaim | undefined): Promise<void> {
    if (!walk) return
    await taken.releaseSend(walk.claim)
    const { send } = walk
    if (send.walker === walk && !send.isCancelled && send.pagesLeft !== undefined) send.isClaimable = true
  }

  async #openPage(taken: TakenPages, claim: PageClaim | undefined, count: number): Promise<void> {
    if (!claim) return
    const page = this.#pages.get(claim.id)
    const batches = this.#newBatches(count, 'broadcast')
    const claims = await taken.openPage(claim, batches)
    if (page?.holder !== claim) return expect(claims).toBe('lost')
    if (typeof claims === 'string') throw new Error(`a page was refused to who has it: ${claims}`)
    this.#pages.delete(claim.id)
    expect(claims.map(labelOf).sort()).toEqual(batches.map(({ lines }) => lines.toString()).sort())
    for (const claim of claims) {
      expect(claim.sendState).toBe(page.send.isCancelled ? 'cancelled' : 'live')
      const label = labelOf(claim)
      const batch = { label, send: page.send, lane: 'broadcast' as const, holder: claim, isClaimable: false }
      this.#batches.set(label, { ...batch, isTaken: true, id: claim.id, finder: undefined })
      this.#claims.push(claim)
    }
  }

  async #claimLost(taken: TakenPages): Promise<void> {
    const parts = await taken.claimLost(1)
    const pages = [...this.#pages.values()].filter(({ isLost }) => isLost)
    const batches = [...this.#batches.values()].filter(({ isTaken, isClaimable }) => isTaken && isClaimable)
    expect(parts).toHaveLength(Math.min(pages.length, 1) + Math.min(batches.length, 1))
    for (const part of parts) {
      const batch = batches.find(({ id }) => part.batch && id === part.id)
      const page = part.batch ? undefined : this.#pages.get(part.id)
      if (!page?.isLost && !batch) throw new Error('something was handed out that is not lost')
      const { send } = page ?? batch ?? {}
      expect(part.send === undefined).toBe(send?.isCancelled)
      if (page) Object.assign(page, { holder: part, isLost: false })
      if (batch) Object.assign(batch, { finder: part, holder: undefined, isClaimable: false })
      this.#lost.push(part)
    }
  }

  async #restore(taken: TakenPages, part: LostPart | undefined, count: number): Promise<void> {
    if (!part) return
    const batch = [...this.#batches.values()].find(({ finder }) => finder === part)
    const page = this.#pages.get(part.id)
    const isOurs = part.batch ? batch !== undefined : page?.holder === part
    const batches = part.batch ? this.#batchesOf(batch) : this.#newBatches(count, 'broadcast')
    expect(await taken.restore(part, batches)).toBe(isOurs ? 'restored' : 'lost')
    if (batch) Object.assign(batch, { finder: undefined, isTaken: false, isClaimable: true })
    else if (isOurs && page) {
      this.#pages.delete(part.id)
      this.#keepBatches(page.send, batches)
    }
  }

  #batchesOf(batch: ModelBatch | undefined): NewBatch[] {
    const line = batch?.label ?? ''
    return [{ provider: 'fcm', lane: 'broadcast', targetKind: 'token', lines: Buffer.from(line), count: 1 }]
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
    const due = this.#sends.filter(({ isClaimable, takesPages }) => isClaimable && !takesPages)
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

  async #claim(lane: Lane, limit: number): Promise<void> {
    const claims = await this.#real.queue.claimBatches(lane, ['fcm'], limit)
    const waiting = [...this.#batches.values()].filter(
      (batch) => batch.isClaimable && !batch.isTaken && batch.lane === lane,
    )
    expect(claims).toHaveLength(Math.min(limit, waiting.length))
    for (const claim of claims) {
      const batch = this.#batches.get(labelOf(claim))
      if (!batch?.isClaimable || batch.isTaken) throw new Error('a batch was handed out that is not waiting')
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
    batch.isTaken = false
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
    const parts = [...this.#batches.values(), ...this.#pages.values()]
    const isOver = send.pagesLeft === undefined && !parts.some((part) => part.send === send)
    if (isOver) return
    send.isCancelled = true
    send.isClaimable = false
  }

  async #endLeases(): Promise<void> {
    await this.#real.endLeases()
    for (const batch of this.#batches.values()) batch.isClaimable = true
    for (const page of this.#pages.values()) page.isLost = true
    for (const send of this.#sends) send.isClaimable = send.pagesLeft !== undefined && !send.isCancelled
  }

  #heldBy(claim: BatchClaim): ModelBatch | undefined {
    const batch = this.#batches.get(labelOf(claim))
    return batch?.holder === claim ? batch : undefined
  }

  #addSend(pages: number | undefined, takesPages = false): ModelSend {
    const { uid } = makeSend()
    const isClaimable = pages !== undefined
    const send = {
      uid,
      isCancelled: false,
      pagesLeft: pages,
      walker: undefined,
      isClaimable,
      takesPages,
      cursor: undefined,
    }
    this.#sends.push(send)
    return send
  }

  #addBatches(send: ModelSend, count: number): NewBatch[] {
    const batches = this.#newBatches(count)
    this.#keepBatches(send, batches)
    return batches
  }

  #newBatches(count: number, lane: Lane = 'small'): NewBatch[] {
    return Array.from({ length: count }, () => ({
      provider: 'fcm',
      lane,
      targetKind: 'token',
      lines: Buffer.from(`${deviceOf(++this.#lastLabel)}\ttoken-${this.#lastLabel}\t\t`),
      count: 1,
    }))
  }

  #keepBatches(send: ModelSend, batches: readonly NewBatch[]): void {
    for (const { lines, lane } of batches) {
      const label = lines.toString()
      const batch = { label, send, lane, holder: undefined, isClaimable: true }
      this.#batches.set(label, { ...batch, isTaken: false, id: undefined, finder: undefined })
    }
  }
}

const EVERYONE = {
  kind: 'filter',
  filter: { ids: [], users: [], topics: [], providers: ['fcm'], platforms: [] },
} as const

/** In the order of the numbers. */
function deviceOf(number: number): string {
  return `00000000-0000-0000-0000-${String(number).padStart(12, '0')}`
}

/** A batch of the model has one target, whose line names it. */
function labelOf({ lines }: BatchClaim): string {
  return lines.join('\n')
}

function pick<T>(from: readonly T[], which: number): T | undefined {
  return from[which % Math.max(from.length, 1)]
}
