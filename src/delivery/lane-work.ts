import type { ProviderName } from '../config/provider-names.ts'
import type { BatchClaim } from '../queue/batch.ts'
import type { Duty, Lane } from '../queue/lane.ts'
import { makeOpenPromise, type OpenPromise } from '../timing/open-promise.ts'
import { InFlightLimit } from './in-flight-limit.ts'

/** Targets in flight of a worker with one lane: the duplicates of a kill, at most. */
const MAX_IN_FLIGHT = 5000
/** The same for a worker with both lanes: small sends find room beside any broadcast. */
const IN_FLIGHT_SHARES: Record<Lane, number> = { small: 500, broadcast: 4500 }
/** Targets of broadcasts that are claimed before there is room in flight: their ranges are read in that time. */
const CLAIMED_AHEAD: Record<Lane, number> = { small: 0, broadcast: 5500 }
/**
 * Batches of a claim. Several of a broadcast, because neighbouring ranges are read in one query; several of small sends
 * when most of the room is taken, because then a claim for each batch that ends would cost more than its delivery.
 */
const CLAIMED_TOGETHER: Record<Lane, { min: number; max: number }> = {
  small: { min: 16, max: 64 },
  broadcast: { min: 5, max: 5 },
}
/**
 * The time in ms from one claim of small sends to the next. The sends that arrive in this time are claimed, written and
 * acknowledged together; claimed one by one, each would cost several system calls.
 */
const GATHERING_MS = 5
/** Targets of the largest batch of a small send (push/recipient.ts). */
const SMALL_BATCH_TARGETS = 100
/** Batches of small sends in flight, at most: a look at the store asks for each of them. */
const MAX_SMALL_BATCHES = 512

/** The parts of a lane's work. */
interface LaneWorkDeps {
  lane: Lane
  duty: Duty
  /** Batches delivered at once. Of small sends, those with 100 targets together count as one. */
  concurrency: number
  /** Targets of the largest batch of any provider. */
  maxBatchTargets: number
}

/** The batches that a lane works on, and the room for others. */
export class LaneWork {
  readonly lane: Lane
  readonly inFlight: InFlightLimit
  /** Providers in an outage of which a batch is delivered. */
  readonly probing = new Set<ProviderName>()
  readonly #batches = new Set<Promise<void>>()
  /** The most batches at once. */
  readonly #maxBatches: number
  /** Targets of the claimed batches. */
  #claimed = 0
  /** Targets that a batch of the next claim is expected to have. */
  #batchTargets: number
  #freed: OpenPromise | undefined

  constructor({ lane, duty, concurrency, maxBatchTargets }: LaneWorkDeps) {
    this.lane = lane
    const share = duty.lanes.length > 1 ? IN_FLIGHT_SHARES[lane] : MAX_IN_FLIGHT
    const isSmall = lane === 'small'
    this.#maxBatches = isSmall ? MAX_SMALL_BATCHES : concurrency
    this.#batchTargets = isSmall ? SMALL_BATCH_TARGETS : maxBatchTargets
    const maxTargets = isSmall ? Math.min(share, concurrency * SMALL_BATCH_TARGETS) : share
    this.inFlight = new InFlightLimit(maxTargets, this.#maxBatches)
  }

  /** Whether there are claimed batches. */
  get isBusy(): boolean {
    return this.#batches.size > 0
  }

  /** The number of batches to claim; 0 while there is too little room for a claim. */
  room(): number {
    const maxClaimed = this.inFlight.maxTargets + CLAIMED_AHEAD[this.lane]
    const { min, max } = CLAIMED_TOGETHER[this.lane]
    const inTargets = Math.floor((maxClaimed - this.#claimed) / this.#batchTargets)
    const room = Math.min(this.#maxBatches - this.#batches.size, inTargets, max)
    // With large batches or a low concurrency, half of the possible batches are enough for a claim.
    const enough = Math.max(1, Math.min(this.#maxBatches, Math.floor(maxClaimed / this.#batchTargets)) >> 1)
    // One is always allowed: a configured batch may be larger than all that may be in flight.
    if (!this.isBusy) return Math.max(room, 1)
    return room < Math.min(min, enough) ? 0 : room
  }

  /**
   * The least time from a claim to the next one, in ms. None after a claim that filled its room: more batches wait.
   * @param claimed the batches of the claim
   */
  gatheringMs(claimed: number, room: number): number {
    return this.lane === 'small' && claimed < room ? GATHERING_MS : 0
  }

  /** Notes the batches of a claim. Small sends with few targets are often followed by others of their kind. */
  onClaims(claims: readonly BatchClaim[]): void {
    if (this.lane !== 'small' || claims.length === 0) return
    this.#batchTargets = Math.max(1, Math.ceil(claims.reduce((sum, { count }) => sum + count, 0) / claims.length))
  }

  /** Adds the delivery of a batch, which must not reject. @param targets the number of its targets */
  add(delivery: Promise<void>, targets: number): void {
    this.#batches.add(delivery)
    this.#claimed += targets
    void delivery.then(() => {
      this.#batches.delete(delivery)
      this.#claimed -= targets
      this.#freed?.resolve()
      this.#freed = undefined
    })
  }

  /** Resolves when a batch ends. */
  freed(): Promise<void> {
    this.#freed ??= makeOpenPromise()
    return this.#freed.promise
  }

  /** Resolves when all batches have ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#batches)
  }
}
