// The worker: claims batches, reads the devices of ranges, keeps leases, and limits the targets in flight. A batch is
//
//   claimed ──(lines, or its range read)──▶ open ──(room in flight)──▶ sent ──▶ acknowledged
//   claimed, open ──(cancelled | lease lost | stop | range not read)──▶ released, as if it had not been claimed
//
// Each lane has a claim loop and an in-flight limit of its own, so a broadcast never delays small sends.
import { setMaxListeners } from 'node:events'
import type { ProviderName } from '../config/provider-names.ts'
import type { BatchClaim } from '../queue/batch.ts'
import type { Duty, Lane } from '../queue/lane.ts'
import type { Queue } from '../queue/queue.ts'
import { WorkWatch } from '../queue/work-watch.ts'
import { pause } from '../timing/pause.ts'
import { claimAvailable, listInState } from './claim-available.ts'
import { type DeliverDeps, deliverBatch } from './deliver-batch.ts'
import type { Hold } from './hold.ts'
import { InFlightLimit } from './in-flight-limit.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import type { OpenBatch } from './open-batch.ts'
import type { RangeBatch, RangeReader, RangeTargets } from './range-reader.ts'

/** Targets in flight of a worker with one lane: the duplicates of a kill, at most. */
const MAX_IN_FLIGHT = 5000
/** The same for a worker with both lanes: small sends find room beside any broadcast. */
const IN_FLIGHT_SHARES: Record<Lane, number> = { small: 500, broadcast: 4500 }
/** Targets of broadcasts that are claimed before there is room in flight: their ranges are read in that time. */
const CLAIMED_AHEAD: Record<Lane, number> = { small: 0, broadcast: 5500 }
/** Batches of a claim: several of a broadcast, because neighbouring ranges are read in one query. */
const CLAIMED_TOGETHER: Record<Lane, { min: number; max: number }> = {
  small: { min: 1, max: Number.POSITIVE_INFINITY },
  broadcast: { min: 5, max: 5 },
}
/** Targets of the largest batch of a small send (push/recipient.ts). */
const SMALL_BATCH_TARGETS = 100
/** The time between two looks of a busy loop, in ms. A due retry and a lost announcement are delayed by at most it. */
const POLL_MS = 500
/** In ms, after an error of the store, which is most likely unreachable. */
const ERROR_PAUSE_MS = 1000
/** In ms, how long a failed claim counts. The next one follows within this time, if the store answers at all. */
const FAILED_CLAIM_MS = 3000

/** The parts of a worker. */
export interface WorkerDeps extends Omit<DeliverDeps, 'queue'> {
  queue: Queue
  duty: Duty
  /** Reads range batches; undefined without a database, where there are none. */
  ranges: Pick<RangeReader, 'read'> | undefined
  /** Targets of the largest batch of any provider. */
  maxBatchTargets: number
  /** Batches delivered at once, in each lane. */
  concurrency: number
  /** Called with the targets of each claimed batch. */
  onClaim?(targets: number): void
  /** How long a claim is valid after an extension, and how often it is extended. */
  leaseMs: number
  heartbeatMs: number
}

/** The batches that a lane works on. */
interface LaneWork {
  lane: Lane
  inFlight: InFlightLimit
  /** Each batch with its number of targets. */
  batches: Map<Promise<void>, number>
  /** Providers in an outage of which a batch is delivered. */
  probing: Set<ProviderName>
}

/** Claims and delivers the batches of its lanes. */
export class Worker {
  readonly #deps: WorkerDeps
  readonly #leases: LeaseKeeper
  /** Stops claiming. */
  readonly #stopping = new AbortController()
  #loops: Promise<void>[] = []
  /** The time of the last claim if it failed. */
  #failedAtMs: number | undefined

  constructor(deps: WorkerDeps) {
    this.#deps = deps
    // Every batch may wait on it. Node warns of a leak from the eleventh listener on.
    setMaxListeners(0, this.#stopping.signal)
    this.#leases = new LeaseKeeper(deps)
  }

  /**
   * Whether the queue accepts claims. There may be none for a while, and one may wait for its answer, so this does not
   * tell whether the store answers.
   */
  get isReady(): boolean {
    return this.#failedAtMs === undefined || this.#deps.now() - this.#failedAtMs > FAILED_CLAIM_MS
  }

  /** Begins to claim batches. */
  start(): void {
    const { duty, concurrency } = this.#deps
    this.#loops = duty.lanes.map((lane) => {
      const inFlight = new InFlightLimit(duty.lanes.length > 1 ? IN_FLIGHT_SHARES[lane] : MAX_IN_FLIGHT, concurrency)
      this.#stopping.signal.addEventListener('abort', () => inFlight.stop(), { once: true })
      return this.#claimBatches({ lane, inFlight, batches: new Map(), probing: new Set() })
    })
  }

  /** Claims nothing more, lets requests in flight finish within `graceMs`, and releases the remaining targets. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort()
    const grace = setTimeout(() => this.#leases.abortAll(), graceMs)
    await Promise.all(this.#loops)
    clearTimeout(grace)
    await this.#leases.close()
  }

  async #claimBatches(work: LaneWork): Promise<void> {
    const { queue, duty, providers, logger } = this.#deps
    const { signal } = this.#stopping
    const { lane, batches, probing } = work
    const watch = new WorkWatch({ queue, duty, lane, pollMs: POLL_MS, signal })
    while (!signal.aborted) {
      watch.listen()
      const room = this.#room(work)
      const up = listInState(providers, 'up')
      const askedAtMs = performance.now()
      try {
        const claims = room > 0 ? await claimAvailable(this.#deps, { lane, probing, room }) : []
        if (room > 0) this.#failedAtMs = undefined
        this.#begin(claims, askedAtMs, work)
        // A batch in delivery may leave retries, and a provider in an outage is probed.
        if (batches.size > 0 || up.length < providers.size) watch.onWork()
        if (claims.length > 0) continue
        // The end of a batch frees room, or shows whether a provider works again.
        const freed = room > 0 && probing.size === 0 ? [] : batches.keys()
        await Promise.race([...freed, watch.wait(up)])
      } catch (error) {
        this.#failedAtMs = this.#deps.now()
        logger.error({ err: error, lane }, 'delivery: claim failed, retrying')
        await pause(ERROR_PAUSE_MS, signal)
      }
    }
    await Promise.all(batches.keys())
  }

  /** The batches to claim, each counted as the largest possible; 0 while there is too little room for a claim. */
  #room({ lane, inFlight, batches }: LaneWork): number {
    const batchTargets = lane === 'small' ? SMALL_BATCH_TARGETS : this.#deps.maxBatchTargets
    const claimed = [...batches.values()].reduce((sum, targets) => sum + targets, 0)
    const maxClaimed = inFlight.maxTargets + CLAIMED_AHEAD[lane]
    const { min, max } = CLAIMED_TOGETHER[lane]
    const room = Math.min(this.#deps.concurrency - batches.size, Math.floor((maxClaimed - claimed) / batchTargets), max)
    // With large batches or a low concurrency, half of the possible batches are enough for a claim.
    const enough = Math.max(1, Math.min(this.#deps.concurrency, Math.floor(maxClaimed / batchTargets)) >> 1)
    // One is always allowed: a configured batch may be larger than all that may be in flight.
    if (batches.size === 0) return Math.max(room, 1)
    return room < Math.min(min, enough) ? 0 : room
  }

  #begin(claims: readonly BatchClaim[], askedAtMs: number, work: LaneWork): void {
    const reads = this.#readRanges(claims)
    for (const claim of claims) {
      this.#deps.onClaim?.(claim.count)
      const hold = this.#leases.hold(claim, askedAtMs)
      const isProbe = (this.#deps.providers.get(claim.provider)?.availability?.state ?? 'up') !== 'up'
      const delivery = this.#deliver(claim, hold, reads.get(claim.id), work.inFlight).finally(() => {
        work.batches.delete(delivery)
        if (isProbe) work.probing.delete(claim.provider)
      })
      if (isProbe) work.probing.add(claim.provider)
      work.batches.set(delivery, claim.count)
    }
  }

  #readRanges(claims: readonly BatchClaim[]): Map<string, Promise<RangeTargets>> {
    const ranges = claims.flatMap(({ targets, ...claim }): RangeBatch[] =>
      targets.kind === 'range' ? [{ ...claim, range: targets.range }] : [],
    )
    return ranges.length === 0 ? new Map() : (this.#deps.ranges?.read(ranges) ?? new Map())
  }

  /** Never rejects. A batch that is neither acknowledged nor released is claimed again after its lease. */
  async #deliver(
    claim: BatchClaim,
    hold: Hold,
    read: Promise<RangeTargets> | undefined,
    inFlight: InFlightLimit,
  ): Promise<void> {
    const { logger, now } = this.#deps
    const { uid, provider } = claim
    const claimedAtMs = now()
    try {
      const batch = await this.#open(claim, read)
      if (!batch) return
      // A batch of a cancelled or expired send is not sent, and needs no room.
      const isLive = claim.sendState === 'live'
      if (isLive && !(await inFlight.take(batch.count, hold.signal))) return await this.#deps.queue.release([claim])
      try {
        await deliverBatch(this.#deps, afterWait(batch, now() - claimedAtMs), hold)
      } finally {
        if (isLive) inFlight.release(batch.count)
      }
    } catch (error) {
      logger.error({ err: error, uid, provider }, 'delivery: batch not acknowledged, claimed again after its lease')
    } finally {
      this.#leases.release(hold)
    }
  }

  /** The batch with its targets; undefined when its range could not be read and the claim was released. */
  async #open(claim: BatchClaim, read: Promise<RangeTargets> | undefined): Promise<OpenBatch | undefined> {
    const { targets, ...batch } = claim
    if (targets.kind === 'lines')
      return { ...batch, lines: targets.lines, isRange: false, skipped: [], rest: undefined }
    try {
      if (!read) throw new Error('a range batch was claimed by a worker without a device store')
      const range = await read
      return { ...batch, ...range, isRange: true, count: range.lines.length }
    } catch (error) {
      const { uid, provider } = claim
      this.#deps.logger.error({ err: error, uid, provider }, 'delivery: range not read, batch released')
      // The device store is most likely unreachable, and the batch can be claimed again at once.
      await pause(ERROR_PAUSE_MS, this.#stopping.signal)
      await this.#deps.queue.release([claim])
      return undefined
    }
  }
}

/** Applies the time since the claim. */
function afterWait(batch: OpenBatch, waitedMs: number): OpenBatch {
  const expiresInMs = batch.expiresInMs === undefined ? undefined : batch.expiresInMs - waitedMs
  const isExpired = batch.sendState === 'live' && expiresInMs !== undefined && expiresInMs <= 0
  return { ...batch, expiresInMs, sendState: isExpired ? 'expired' : batch.sendState }
}
