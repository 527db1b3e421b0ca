// One queue under test and the calls that most cases of the contract make.
import { expect, vi } from 'vitest'
import type { ProviderName } from '../../../src/config/provider-names.ts'
import type { BatchClaim, NewBatch } from '../../../src/queue/batch.ts'
import type { Lane } from '../../../src/queue/lane.ts'
import type { Queue } from '../../../src/queue/queue.ts'
import type { QueueLimits } from '../../../src/queue/queue-limits.ts'
import type { Page, Send, SendClaim } from '../../../src/queue/send.ts'
import { batchOf, readLines } from '../make-batch.ts'
import { makeSend } from '../make-send.ts'

/** A queue and how to close it. */
export interface QueueUnderTest {
  queue: Queue
  close(): Promise<void>
}

/** Opens an empty queue. */
export type StartQueue = (options: { leaseMs: number } & QueueLimits) => Promise<QueueUnderTest>

/** Declares the tests of a contract for a queue that `start` opens. */
export type DescribeQueue = (name: string, start: StartQueue) => void

/** Long enough for the calls of a case, short enough to wait for its end. */
export const LEASE_MS = 500
export const ALL_PROVIDERS: readonly ProviderName[] = ['fcm', 'hms', 'apns', 'webpush']
export const NOTHING_LEFT = { retries: [], givenUp: [] }
const MAX_JOBS = 1000
/** A claim with a lost answer is valid until its lease ends. Cases then wait for the next claim. */
export const CLAIM_WAIT = { timeout: 10_000, interval: 10 }

/** Opens a queue for each case. */
export class ContractRig {
  readonly #start: StartQueue
  #open: QueueUnderTest | undefined

  constructor(start: StartQueue) {
    this.#start = start
  }

  get queue(): Queue {
    return required(this.#open).queue
  }

  async open(): Promise<void> {
    this.#open = await this.#start({ leaseMs: LEASE_MS, maxJobs: MAX_JOBS })
  }

  async close(): Promise<void> {
    await this.#open?.close()
  }

  /** Runs `use` with another queue, which has these limits. */
  async withLimits(limits: Partial<QueueLimits>, use: (queue: Queue) => Promise<void>): Promise<void> {
    const { queue, close } = await this.#start({ leaseMs: LEASE_MS, maxJobs: MAX_JOBS, ...limits })
    try {
      await use(queue)
    } finally {
      await close()
    }
  }

  /** One claim without waiting; undefined when there is none. */
  async tryToClaim(lane: Lane = 'small', providers = ALL_PROVIDERS): Promise<BatchClaim | undefined> {
    return (await this.queue.claimBatches(lane, providers, 1))[0]
  }

  claim(lane: Lane = 'small', providers = ALL_PROVIDERS): Promise<BatchClaim> {
    return vi.waitFor(async () => required(await this.tryToClaim(lane, providers)), CLAIM_WAIT)
  }

  claimSend(lane: Lane = 'broadcast'): Promise<SendClaim> {
    return vi.waitFor(async () => required((await this.queue.claimSends(lane, 1))[0]), CLAIM_WAIT)
  }

  /** Enqueues a send that has exactly these batches. */
  async enqueue(...batches: NewBatch[]): Promise<Send> {
    const send = makeSend()
    await this.queue.enqueue(send, { batches, cursor: undefined })
    return send
  }

  /** Enqueues a send with a small batch for each list of values. */
  enqueueSmall(...batches: string[][]): Promise<Send> {
    return this.enqueue(...batches.map((values) => batchOf('small', ...values)))
  }

  /** Enqueues a send with a broadcast batch for each list of values. */
  enqueueBroadcast(...batches: string[][]): Promise<Send> {
    return this.enqueue(...batches.map((values) => batchOf('broadcast', ...values)))
  }

  /** Enqueues a send that is due after `delayMs`. */
  async enqueueLater(delayMs: number): Promise<Send> {
    const send = makeSend({ sendAtMs: Date.now() + delayMs })
    await this.queue.enqueue(send)
    return send
  }

  /** Enqueues a send that has to be walked, and claims it. */
  async startWalk(over: Partial<Send> = {}): Promise<{ send: Send; walk: SendClaim }> {
    const send = makeSend(over)
    await this.queue.enqueue(send)
    return { send, walk: await this.claimSend() }
  }

  /** Commits a page of exactly as many batches as may wait; its repetition after a lost answer is refused. */
  async fill(walk: SendClaim, page: Page): Promise<void> {
    expect(['committed', 'full']).toContain(await this.queue.commitPage(walk, page))
  }

  /** Claims and acknowledges as many batches as there are values; resolves to their first values, sorted. */
  async claimAll(count: number): Promise<string[]> {
    const seen: string[] = []
    while (seen.length < count) {
      const found = await this.claim()
      seen.push(firstValue(found))
      await this.queue.acknowledge(found, NOTHING_LEFT)
    }
    return seen.toSorted()
  }

  /** Checks that no earlier batch is claimable: the oldest batch is claimed first, and it is a new one. */
  async expectNothing(lane: Lane = 'small'): Promise<void> {
    const marker = await this.enqueue(batchOf(lane, 'marker'))
    const found = await this.claim(lane)
    expect(found).toMatchObject({ uid: marker.uid })
    await this.queue.acknowledge(found, NOTHING_LEFT)
  }
}

/** A page that is not the last one. */
export function page(cursor: string, ...batches: NewBatch[]): Page {
  return { batches, cursor }
}

export function lastPage(...batches: NewBatch[]): Page {
  return { batches, cursor: undefined }
}

/** The token of the first target. */
export function firstValue(claim: BatchClaim): string {
  return required(readLines(claim)[0]?.split('\t')[1])
}

export function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('expected a value')
  return value
}
