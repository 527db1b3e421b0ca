import type { RedisClient } from '../../redis/connect.ts'
import { Script } from '../../redis/script.ts'
import type { DeadLetterCount, DeadLetterFilter } from '../dead-letter.ts'
import { countRetried, sumCounts } from '../stored-report.ts'
import { readDeadLetters, type StoredLetter } from './dead-letter-entries.ts'
import type { QueueKeys } from './keys.ts'
import type { Scope } from './scope.ts'
import type { TimedWrites } from './timed-writes.ts'

/** The number of dead letters that one command reads. Each has up to a batch of targets. */
const PAGE = 100

const DELETE_DEAD_LETTER = new Script(new URL('lua/delete-dead-letter.lua', import.meta.url))
const RETRY_DEAD_LETTER = new Script(new URL('lua/retry-dead-letter.lua', import.meta.url))

/** The dead letters, in a stream. Each call reads the stream from its start: operators ask for dead letters rarely. */
export class DeadLetters {
  readonly #client: RedisClient
  readonly #keys: QueueKeys
  readonly #writes: TimedWrites

  constructor(deps: Scope & { writes: TimedWrites }) {
    this.#client = deps.client
    this.#keys = deps.keys
    this.#writes = deps.writes
  }

  /**
   * Lists up to `limit` dead letters, the oldest first.
   * @param after the id of the last dead letter of the previous page
   */
  async list(filter: DeadLetterFilter, limit: number, after?: string): Promise<StoredLetter[]> {
    const found: StoredLetter[] = []
    for await (const letter of this.#read(after)) {
      if (matches(letter, filter)) found.push(letter)
      if (found.length === limit) break
    }
    return found
  }

  /** Counts dead letters and their targets. */
  async count(filter: DeadLetterFilter): Promise<DeadLetterCount> {
    const counts = { letters: 0, targets: 0 }
    for await (const letter of this.#read(undefined)) {
      if (!matches(letter, filter)) continue
      counts.letters++
      counts.targets += letter.count
    }
    return counts
  }

  /** Turns dead letters into batches without earlier attempts. @returns the number of their targets */
  retry(filter: DeadLetterFilter): Promise<number> {
    const { deadLetters, send, batches, exclusions, report, work } = this.#keys
    return this.#change(filter, async (letter, deadlineMs) => {
      const { id, uid, lane, provider } = letter
      const keys = [deadLetters, send(uid), batches(lane, provider), exclusions(uid), report(uid)]
      const changes = sumCounts(countRetried(letter))
      const args = [id, work(lane), deadlineMs, changes.size, ...[...changes].flat()]
      return Number(await RETRY_DEAD_LETTER.run(this.#client, keys, args))
    })
  }

  /** Deletes dead letters. @returns the number of their targets */
  delete(filter: DeadLetterFilter): Promise<number> {
    return this.#change(filter, async ({ id, count }, deadlineMs) => {
      const deleted = await DELETE_DEAD_LETTER.run(this.#client, [this.#keys.deadLetters], [id, deadlineMs])
      return Number(deleted) * count
    })
  }

  /** Calls `change` for each dead letter that matches the filter. @returns the sum of the results of `change` */
  async #change(
    filter: DeadLetterFilter,
    change: (letter: StoredLetter, deadlineMs: number) => Promise<number>,
  ): Promise<number> {
    let targets = 0
    for await (const letter of this.#read(undefined)) {
      if (matches(letter, filter)) targets += await this.#writes.run((deadlineMs) => change(letter, deadlineMs))
    }
    return targets
  }

  async *#read(after: string | undefined): AsyncGenerator<StoredLetter> {
    let from = after === undefined ? '-' : `(${after}`
    for (;;) {
      const page = readDeadLetters(await this.#client.xrange(this.#keys.deadLetters, from, '+', 'COUNT', PAGE))
      yield* page
      const last = page.at(-1)
      if (!last || page.length < PAGE) return
      from = `(${last.id}`
    }
  }
}

function matches(letter: StoredLetter, { ids, uid, provider }: DeadLetterFilter): boolean {
  return (
    (ids === undefined || ids.includes(letter.id)) &&
    (uid === undefined || letter.uid === uid) &&
    (provider === undefined || letter.provider === provider)
  )
}
