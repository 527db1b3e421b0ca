import type { ProviderName } from '../../config/provider-names.ts'
import type { Logger } from '../../observability/log.ts'
import type { BatchClaim, ClaimKey, ClaimState, Progress, Remainder } from '../batch.ts'
import { LANES, type Lane } from '../lane.ts'
import type { SendClaim } from '../send.ts'
import { ClaimTurns } from './claim-turns.ts'
import { makePartitionId, splitPartitionId } from './partition-ids.ts'
import type { RedisQueue } from './redis-queue.ts'

interface Deps {
  partitions: readonly RedisQueue[]
  logger: Logger
  /** The longest time between two questions to a partition for work, in ms (claim-turns.ts). */
  maxSilenceMs: number | undefined
}

/** The claims of a queue of partitions. The id of a claimed batch has the number of its partition. */
export class PartitionClaims {
  readonly #deps: Deps
  /** The turns of claims of sends by lane. */
  readonly #sendTurns: ReadonlyMap<Lane, ClaimTurns<SendClaim>>
  /** The turns of claims of batches by lane and providers: a partition may have work of some of the providers only. */
  readonly #batchTurns = new Map<Lane, Map<string, ClaimTurns<BatchClaim>>>(LANES.map((lane) => [lane, new Map()]))

  constructor(deps: Deps) {
    this.#deps = deps
    this.#sendTurns = new Map(
      LANES.map((lane) => [
        lane,
        this.#makeTurns<SendClaim>((partition, claims) => claims.map((claim) => partition.releaseSend(claim))),
      ]),
    )
  }

  /** Notes that a partition may have work in a lane. */
  announce(lane: Lane, index: number): void {
    this.#sendTurns.get(lane)?.announce(index)
    for (const turns of this.#batchTurns.get(lane)?.values() ?? []) turns.announce(index)
  }

  /** As `Queue.claimSends`. */
  async claimSends(lane: Lane, limit: number): Promise<SendClaim[]> {
    const claim = (index: number, share: number) => this.#get(index).claimSends(lane, share)
    return (await this.#sendTurns.get(lane)?.claim(limit, claim)) ?? []
  }

  /** As `Queue.claimBatches`. */
  claimBatches(
    lane: Lane,
    providers: readonly ProviderName[],
    limit: number,
    leastWaitMs?: number,
  ): Promise<BatchClaim[]> {
    return this.#turnsOf(lane, providers).claim(limit, async (index, share) => {
      const claims = await this.#get(index).claimBatches(lane, providers, share, leastWaitMs)
      for (const claim of claims) claim.id = makePartitionId(index, claim.id)
      return claims
    })
  }

  /** As `Queue.confirm`. Claims in a partition that does not answer are unknown, so the others are not held up. */
  async confirm(claims: readonly ClaimKey[], extendAfterMs: number): Promise<ClaimState[]> {
    const states = new Map<ClaimKey, ClaimState>()
    const confirm = async (partition: RedisQueue, own: readonly ClaimKey[]) => {
      const found = await partition.confirm(own, extendAfterMs)
      for (const [index, claim] of own.entries()) states.set(claim, found[index] ?? 'unknown')
    }
    const answers = await Promise.allSettled(this.#split(claims, ({ id }) => id, confirm))
    const failed = answers.filter((answer) => answer.status === 'rejected')
    if (failed[0] && failed.length === answers.length) throw failed[0].reason
    for (const { reason } of failed) {
      this.#deps.logger.warn({ err: reason }, 'queue: claims of a partition not confirmed, retrying')
    }
    return claims.map((claim) => states.get(claim) ?? 'unknown')
  }

  /** As `Queue.checkpoint`. */
  async checkpoint(progress: readonly Progress[]): Promise<void> {
    await Promise.all(
      this.#split(
        progress,
        ({ claim }) => claim.id,
        (partition, own) => partition.checkpoint(own),
      ),
    )
  }

  /** As `Queue.acknowledge`. */
  acknowledge(claim: ClaimKey, remainder: Remainder): Promise<'acknowledged' | 'lost'> {
    return this.#get(splitPartitionId(claim.id).partition).acknowledge(claim, remainder)
  }

  /** As `Queue.release`. */
  async release(claims: readonly ClaimKey[]): Promise<void> {
    await Promise.all(
      this.#split(
        claims,
        ({ id }) => id,
        (partition, own) => partition.release(own),
      ),
    )
  }

  #turnsOf(lane: Lane, providers: readonly ProviderName[]): ClaimTurns<BatchClaim> {
    const name = providers.join()
    const known = this.#batchTurns.get(lane)?.get(name)
    if (known) return known
    const turns = this.#makeTurns<BatchClaim>((partition, claims) => [partition.release(claims)])
    this.#batchTurns.get(lane)?.set(name, turns)
    return turns
  }

  /** @param release releases claims that arrive too late for the call that asked for them */
  #makeTurns<Claim>(release: (partition: RedisQueue, claims: readonly Claim[]) => Promise<unknown>[]) {
    const { partitions, logger, maxSilenceMs } = this.#deps
    return new ClaimTurns<Claim>({
      count: partitions.length,
      maxSilenceMs,
      onLate: (index, claims) => {
        Promise.all(release(this.#get(index), claims)).catch((error: unknown) => {
          logger.warn({ err: error }, 'queue: late claims not released, claimed again after their leases')
        })
      },
    })
  }

  /** Calls `use` for each partition with the items of it. */
  #split<Item, T>(
    items: readonly Item[],
    idOf: (item: Item) => string,
    use: (partition: RedisQueue, own: readonly Item[]) => Promise<T>,
  ): Promise<T>[] {
    const split = this.#deps.partitions.map((): Item[] => [])
    for (const item of items) split[splitPartitionId(idOf(item)).partition]?.push(item)
    return split.flatMap((own, index) => (own.length > 0 ? [use(this.#get(index), own)] : []))
  }

  #get(index: number): RedisQueue {
    const partition = this.#deps.partitions[index]
    if (!partition) throw new Error(`the queue has no partition ${index}`)
    return partition
  }
}
