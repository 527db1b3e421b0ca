// The worker: claims batches, keeps their leases, and lets no more targets be unsettled at once than a kill may cost in
// duplicates. A batch is
//
//   claimed ──(room)──▶ sent ──▶ acknowledged
//   claimed ──(cancelled | lease lost | stop)──▶ given back, as if it had not been claimed
//
// Small sends have slots of their own, so a broadcast never stands in their way. Of broadcasts a worker takes whole pages as
// well, where queue and send allow that: then its batches are claimed without having waited in the queue.
import { setTimeout as delay } from 'node:timers/promises'
import type { ProviderName } from '../config/provider-names.ts'
import type { BatchClaim, Duty, Lane, Queue } from '../queue/queue.ts'
import { makeContentCache } from './content-cache.ts'
import { type DeliverDeps, deliverBatch } from './deliver-batch.ts'
import { type Hold, LeaseKeeper } from './lease-keeper.ts'
import { UnsettledTargets } from './unsettled-targets.ts'

/** Targets being sent: the most that a killed worker can send twice. */
const MOST = 5000
/** The same where a worker has both lanes: small sends find room, however many broadcasts there are. */
const SHARES: Record<Lane, number> = { small: 500, broadcast: 4500 }
/** Targets of broadcasts that are claimed before there is room to send them, so that the room is never empty. */
const CLAIMED_AHEAD = 1000
/** The most that a batch of a small send has (push/pages.ts). */
const SMALL_BATCH_TARGETS = 100
/** How late a batch whose retry has come due, or a lost wake-up, may be noticed. */
const POLL_MS = 500
const ERROR_PAUSE_MS = 1000

interface Deps extends Omit<DeliverDeps, 'queue' | 'loadContent'> {
  queue: Queue
  duty: Duty
  /** The most targets that a batch of any provider has. */
  maxBatchTargets: number
  /** Batches worked on at once, in each lane. */
  concurrency: number
  heartbeatMs: number
  /** Undefined where the pages of broadcasts are written. */
  pages?: PageSource | undefined
}

/** Pages of broadcasts, for the worker that takes them. Neither method rejects. */
export interface PageSource {
  /** Resolves to the next page's batches, claimed; to undefined when no broadcast waits. */
  take(signal: AbortSignal): Promise<BatchClaim[] | undefined>
  /** Resolves when one may wait, after `timeoutMs`, or when `signal` aborts. */
  wait(timeoutMs: number, signal: AbortSignal): Promise<void>
}

/** Batches being worked on, each with its number of targets. */
type Working = Map<Promise<void>, number>

/** What a lane is working on. */
interface Slots {
  lane: Lane
  unsettled: UnsettledTargets
  /** Batches that were claimed from the queue, and those of taken pages. */
  claimed: Working
  taken: Working
}

export class Worker {
  readonly #deps: Deps
  readonly #deliver: DeliverDeps
  readonly #leases: LeaseKeeper
  /** Stops claiming. */
  readonly #stopping = new AbortController()
  readonly #providers: ProviderName[]
  #loops: Promise<void>[] = []
  #isReady = true

  constructor(deps: Deps) {
    this.#deps = deps
    this.#deliver = {
      ...deps,
      loadContent: makeContentCache((uid) => deps.queue.loadContent(uid), deps.now),
    }
    this.#providers = [...deps.providers.keys()]
    this.#leases = new LeaseKeeper(deps)
  }

  /** Whether the queue answered when it was asked for work last; it is asked at least twice a second. */
  get isReady(): boolean {
    return this.#isReady
  }

  start(): void {
    const { duty, concurrency, pages } = this.#deps
    this.#loops = duty.lanes.flatMap((lane) => {
      const unsettled = new UnsettledTargets(duty.lanes.length > 1 ? SHARES[lane] : MOST, concurrency)
      this.#stopping.signal.addEventListener('abort', () => unsettled.stop(), { once: true })
      const slots: Slots = { lane, unsettled, claimed: new Map(), taken: new Map() }
      const claiming = this.#claimBatches(slots)
      return lane === 'broadcast' && pages ? [claiming, this.#takePages(slots, pages)] : [claiming]
    })
  }

  /** Claims nothing more, lets what is being sent finish within `graceMs`, gives the rest back to the queue. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort()
    const grace = setTimeout(() => this.#leases.abortAll(), graceMs)
    await Promise.all(this.#loops)
    clearTimeout(grace)
    await this.#leases.close()
  }

  async #claimBatches(slots: Slots): Promise<void> {
    const { queue, logger } = this.#deps
    const { signal } = this.#stopping
    const { lane, claimed } = slots
    let waiting: Promise<void> | undefined
    while (!signal.aborted) {
      // Begins before the claim, so that no work is missed that comes while one is under way.
      waiting ??= this.#waitForWork(lane).then(() => {
        waiting = undefined
      })
      const room = this.#room(slots)
      try {
        const claims = room > 0 ? await queue.claimBatches(lane, this.#providers, room) : []
        this.#isReady = true
        this.#begin(claims, claimed, slots.unsettled)
        if (claims.length > 0) continue
        const freed = room > 0 ? [] : claimed.keys()
        await Promise.race([...freed, waiting])
      } catch (error) {
        this.#isReady = false
        logger.error({ err: error, lane }, 'delivery: batches could not be claimed, trying again')
        await pause(ERROR_PAUSE_MS, signal)
      }
    }
    await Promise.all(claimed.keys())
  }

  /** One page after another, as soon as all that is at hand can be begun. */
  async #takePages({ unsettled, claimed, taken }: Slots, pages: PageSource): Promise<void> {
    const { signal } = this.#stopping
    let waiting: Promise<void> | undefined
    while (!signal.aborted) {
      waiting ??= pages.wait(POLL_MS, signal).then(() => {
        waiting = undefined
      })
      if (
        countFilled(taken, claimed, unsettled.most) > unsettled.most ||
        claimed.size + taken.size >= this.#deps.concurrency
      ) {
        await Promise.race([...claimed.keys(), ...taken.keys()])
        continue
      }
      const claims = await pages.take(signal)
      if (claims) this.#begin(claims, taken, unsettled)
      else await waiting
    }
    await Promise.all(taken.keys())
  }

  #waitForWork(lane: Lane): Promise<void> {
    const { queue, duty } = this.#deps
    const { signal } = this.#stopping
    return duty.reserve.includes(lane) ? pause(POLL_MS, signal) : queue.waitForWork(lane, POLL_MS, signal)
  }

  #begin(claims: readonly BatchClaim[], working: Working, unsettled: UnsettledTargets): void {
    for (const claim of claims) {
      const work = this.#work(claim, unsettled).finally(() => working.delete(work))
      working.set(work, claim.count)
    }
  }

  /** Batches that may be claimed, each taken for as large as it can be. */
  #room({ lane, unsettled, claimed, taken }: Slots): number {
    const batchTargets = lane === 'small' ? SMALL_BATCH_TARGETS : this.#deps.maxBatchTargets
    const ahead = lane === 'small' ? 0 : Math.max(CLAIMED_AHEAD, batchTargets)
    const filled = countFilled(claimed, taken, unsettled.most)
    const byTargets = Math.floor((unsettled.most + ahead - filled) / batchTargets)
    // One is always allowed: a batch may be configured larger than all that may be unsettled.
    return Math.min(this.#deps.concurrency - claimed.size, Math.max(byTargets, claimed.size === 0 ? 1 : 0))
  }

  async #work(claim: BatchClaim, unsettled: UnsettledTargets): Promise<void> {
    const { queue, logger, now } = this.#deps
    const hold = this.#leases.hold(claim)
    const claimedAtMs = now()
    // What was cancelled or has expired is not sent, and needs no room.
    const isLive = claim.sendState === 'live'
    const hasRoom = isLive && (await unsettled.take(claim.count, hold.signal))
    try {
      if (isLive && !hasRoom) await queue.release([claim])
      else await deliverBatch(this.#deliver, afterWait(claim, now() - claimedAtMs, hold), hold)
    } catch (error) {
      const { uid, provider } = claim
      logger.error({ err: error, uid, provider }, 'delivery: batch not acknowledged, sent again after its lease')
    } finally {
      if (hasRoom) unsettled.release(claim.count)
      this.#leases.drop(claim)
    }
  }
}

/** Targets that fill the room of one kind. The other kind fills half of it at most, so that either leaves the other its half. */
function countFilled(own: Working, other: Working, most: number): number {
  return countTargets(own) + Math.min(countTargets(other), most / 2)
}

function countTargets(working: Working): number {
  return [...working.values()].reduce((sum, targets) => sum + targets, 0)
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  // The only rejection is the abort, after which the caller's loop ends.
  await delay(ms, undefined, { signal }).catch(() => undefined)
}

/** What was true when a batch was claimed may not be any more when there is room for it. */
function afterWait(claim: BatchClaim, waitedMs: number, { hasDrops }: Hold): BatchClaim {
  const expiresInMs = claim.expiresInMs === undefined ? undefined : claim.expiresInMs - waitedMs
  const isExpired = claim.sendState === 'live' && expiresInMs !== undefined && expiresInMs <= 0
  return {
    ...claim,
    expiresInMs,
    sendState: isExpired ? 'expired' : claim.sendState,
    hasDrops: claim.hasDrops || hasDrops,
  }
}
