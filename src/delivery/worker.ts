// The worker: claims batches, reads the devices of ranges, keeps leases, and limits the targets in flight. A batch is
//
//   claimed ──(lines, or its range read)──▶ open ──(room in flight)──▶ sent ──▶ acknowledged
//   claimed, open ──(cancelled | lease lost | stop | range not read)──▶ released, as if it had not been claimed
//
// Each lane has a claim loop and an in-flight limit of its own (lane-work.ts), so a broadcast never delays small sends.
import { setMaxListeners } from 'node:events'
import type { BatchClaim } from '../queue/batch.ts'
import type { Duty } from '../queue/lane.ts'
import type { Queue } from '../queue/queue.ts'
import { WorkWatch } from '../queue/work-watch.ts'
import { pause } from '../timing/pause.ts'
import { claimAvailable, listInState } from './claim-available.ts'
import { type DeliverDeps, deliverBatch } from './deliver-batch.ts'
import { type Hold, makeAbortController } from './hold.ts'
import type { InFlightLimit } from './in-flight-limit.ts'
import { LaneWork } from './lane-work.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import type { OpenBatch } from './open-batch.ts'
import type { RangeBatch, RangeReader, RangeTargets } from './range-reader.ts'

/** The time between two looks of a busy loop, in ms. A due retry and a lost announcement are delayed by at most it. */
const POLL_MS = 500
/**
 * The wait in ms after which a batch of a fallback lane is claimed: the process that serves the lane is overloaded or
 * restarting. Earlier it would take the batches of many sends from the groups in which that process sends them.
 */
const FALLBACK_WAIT_MS = 50
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
  /** Batches delivered at once, in each lane. Of small sends, those with 100 targets together count as one. */
  concurrency: number
  /** Called with the targets of each claimed batch. */
  onClaim?(targets: number): void
  /** How long a claim is valid after an extension, and how often it is extended. */
  leaseMs: number
  heartbeatMs: number
}

/** Claims and delivers the batches of its lanes. */
export class Worker {
  readonly #deps: WorkerDeps
  readonly #leases: LeaseKeeper
  /** Shared by all batches of small sends: to make one for each, and to listen to it, would cost as much as a request. */
  readonly #smallBatches = makeAbortController()
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
    this.#loops = this.#deps.duty.lanes.map((lane) => {
      const work = new LaneWork({ lane, ...this.#deps })
      this.#stopping.signal.addEventListener('abort', () => work.inFlight.stop(), { once: true })
      return this.#claimBatches(work)
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
    const { lane, probing } = work
    const leastWaitMs = duty.fallbackLanes.includes(lane) ? FALLBACK_WAIT_MS : 0
    const watch = new WorkWatch({ queue, duty, lane, kind: 'batches', pollMs: POLL_MS, signal })
    while (!signal.aborted) {
      watch.listen()
      const room = work.room()
      const up = listInState(providers, 'up')
      const askedAtMs = performance.now()
      try {
        const claims = room > 0 ? await claimAvailable(this.#deps, { lane, probing, room, leastWaitMs }) : []
        if (room > 0) this.#failedAtMs = undefined
        this.#begin(claims, askedAtMs, work)
        // A batch in delivery may leave retries, and a provider in an outage is probed.
        if (work.isBusy || up.length < providers.size) watch.onWork()
        if (claims.length > 0) {
          const restMs = work.gatheringMs(claims.length, room) - (performance.now() - askedAtMs)
          if (restMs > 0) await pause(restMs, signal)
          continue
        }
        // The end of a batch frees room, or shows whether a provider works again.
        const freed = room > 0 && probing.size === 0 ? [] : [work.freed()]
        await Promise.race([...freed, watch.wait(up)])
      } catch (error) {
        this.#failedAtMs = this.#deps.now()
        logger.error({ err: error, lane }, 'delivery: claim failed, retrying')
        await pause(ERROR_PAUSE_MS, signal)
      }
    }
    await work.ended()
  }

  #begin(claims: readonly BatchClaim[], askedAtMs: number, work: LaneWork): void {
    work.onClaims(claims)
    const reads = this.#readRanges(claims)
    const shared = work.lane === 'small' ? this.#smallBatches : undefined
    for (const claim of claims) {
      this.#deps.onClaim?.(claim.count)
      const hold = this.#leases.hold(claim, askedAtMs, shared)
      const isProbe = (this.#deps.providers.get(claim.provider)?.availability?.state ?? 'up') !== 'up'
      if (isProbe) work.probing.add(claim.provider)
      const delivery = this.#deliver(claim, hold, reads.get(claim.id), work.inFlight)
      const ended = isProbe ? delivery.finally(() => work.probing.delete(claim.provider)) : delivery
      work.add(ended, claim.count)
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
      const batch = openLines(claim) ?? (await this.#readRange(claim, read))
      if (!batch) return
      // A batch of a cancelled or expired send is not sent, and needs no room.
      const isLive = claim.sendState === 'live'
      if (isLive && !inFlight.takeNow(batch.count) && !(await inFlight.take(batch.count, hold.signal))) {
        return await this.#deps.queue.release([claim])
      }
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

  /** The batch with the devices of its range; undefined when they could not be read and the claim was released. */
  async #readRange(claim: BatchClaim, read: Promise<RangeTargets> | undefined): Promise<OpenBatch | undefined> {
    try {
      if (!read) throw new Error('a range batch was claimed by a worker without a device store')
      const range = await read
      return { ...claim, ...range, isRange: true, count: range.lines.length }
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

/** A batch of lines; undefined for a range. */
function openLines(claim: BatchClaim): OpenBatch | undefined {
  if (claim.targets.kind === 'range') return undefined
  return { ...claim, lines: claim.targets.lines, isRange: false, skipped: [], rest: undefined }
}

/** Applies the time since the claim. */
function afterWait(batch: OpenBatch, waitedMs: number): OpenBatch {
  if (batch.expiresInMs === undefined) return batch
  const expiresInMs = batch.expiresInMs - waitedMs
  return {
    ...batch,
    expiresInMs,
    sendState: batch.sendState === 'live' && expiresInMs <= 0 ? 'expired' : batch.sendState,
  }
}
