// The dead letters of a queue of partitions. Their ids have the number of the partition (partition-ids.ts).
import type { DeadLetter, DeadLetterCount, DeadLetterFilter } from '../dead-letter.ts'
import { makePartitionId, splitPartitionId } from './partition-ids.ts'
import type { RedisQueue } from './redis-queue.ts'

/** The dead letters of several partitions as those of one queue. */
export class PartitionLetters {
  readonly #partitions: readonly RedisQueue[]

  constructor(partitions: readonly RedisQueue[]) {
    this.#partitions = partitions
  }

  /** As `Queue.listDeadLetters`. */
  async list(filter: DeadLetterFilter, limit: number, after?: string): Promise<DeadLetter[]> {
    const lists = await this.#ask(filter, async (partition, own, index) => {
      const letters = await partition.listDeadLetters(own, limit, after && cursorIn(index, after))
      return letters.map((letter) => ({ ...letter, id: makePartitionId(index, letter.id) }))
    })
    return lists.flat().toSorted(compareLetters).slice(0, limit)
  }

  /** As `Queue.countDeadLetters`. */
  async count(filter: DeadLetterFilter): Promise<DeadLetterCount> {
    const counts = await this.#ask(filter, (partition, own) => partition.countDeadLetters(own))
    return {
      letters: counts.reduce((sum, { letters }) => sum + letters, 0),
      targets: counts.reduce((sum, { targets }) => sum + targets, 0),
    }
  }

  /** As `Queue.retryDeadLetters`. */
  async retry(filter: DeadLetterFilter): Promise<number> {
    return sum(await this.#ask(filter, (partition, own) => partition.retryDeadLetters(own)))
  }

  /** As `Queue.deleteDeadLetters`. */
  async delete(filter: DeadLetterFilter): Promise<number> {
    return sum(await this.#ask(filter, (partition, own) => partition.deleteDeadLetters(own)))
  }

  /** Asks each partition, with the ids of the filter that are its own. */
  #ask<T>(
    filter: DeadLetterFilter,
    ask: (partition: RedisQueue, own: DeadLetterFilter, index: number) => Promise<T>,
  ): Promise<T[]> {
    const ids = filter.ids?.map(splitPartitionId)
    return Promise.all(
      this.#partitions.flatMap((partition, index) => {
        if (!ids) return [ask(partition, filter, index)]
        const own = ids.filter(({ partition }) => partition === index).map(({ id }) => id)
        return own.length === 0 ? [] : [ask(partition, { ...filter, ids: own }, index)]
      }),
    )
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}

/** The parts of a letter's id: the time at which it was written, its number in this ms, and the partition. */
function readId(id: string): [ms: bigint, sequence: bigint, partition: number] {
  const { partition, id: entry } = splitPartitionId(id)
  const [ms = '0', sequence = '0'] = entry.split('-')
  return [BigInt(ms), BigInt(sequence), partition]
}

/** The oldest first. */
function compareLetters(a: DeadLetter, b: DeadLetter): number {
  const [aMs, aSequence, aPartition] = readId(a.id)
  const [bMs, bSequence, bPartition] = readId(b.id)
  return Number(aMs - bMs) || Number(aSequence - bSequence) || aPartition - bPartition
}

/** The id behind which the letters of a partition come after the letter `after` in the order of all. */
function cursorIn(partition: number, after: string): string {
  const [ms, sequence, at] = readId(after)
  if (partition <= at) return `${ms}-${sequence}`
  return sequence > 0n ? `${ms}-${sequence - 1n}` : `${ms - 1n}-${2n ** 64n - 1n}`
}
