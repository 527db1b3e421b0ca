// Which partition has a send. A send is stored in the partition of its uid, which depends on the number of partitions.
// After this number was changed, sends that were accepted before are still in the partitions of the earlier number.
import { crc32 } from 'node:zlib'
import type { RedisQueue } from './redis-queue.ts'

/** The partition of a uid, of `count` partitions. */
export function partitionOf(uid: string, count: number): number {
  return crc32(uid) % count
}

/** Finds the partitions of sends. */
export class PartitionRoutes {
  readonly #partitions: readonly RedisQueue[]
  /** The number of partitions by which new sends are stored, and then the earlier ones. */
  readonly #counts: readonly number[]

  constructor(partitions: readonly RedisQueue[], counts: readonly number[]) {
    this.#partitions = partitions
    this.#counts = counts
  }

  /** The partitions that may have a send of this uid. New sends are stored in the first one. */
  listCandidates(uid: string): RedisQueue[] {
    const indexes = new Set(this.#counts.map((count) => partitionOf(uid, count)))
    return [...indexes].map((index) => this.get(index))
  }

  /** The partition with the send of this uid; without one, the partition of new sends. */
  async find(uid: string): Promise<RedisQueue> {
    const candidates = this.listCandidates(uid)
    for (const candidate of candidates.length > 1 ? candidates : []) {
      if (await candidate.isStored(uid)) return candidate
    }
    return this.get(partitionOf(uid, this.#counts[0] ?? 1))
  }

  /** The partition with this number. */
  get(index: number): RedisQueue {
    const partition = this.#partitions[index]
    if (!partition) throw new Error(`the queue has no partition ${index}`)
    return partition
  }
}
