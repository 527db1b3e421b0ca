import type { DeadLetterFilter } from '../queue.ts'
import type { QueueKeys } from './keys.ts'
import { readDeadLetters, type StoredLetter } from './replies.ts'
import type { RedisClient } from './script.ts'

/** Read at a time; each holds a batch's targets. */
const PAGE = 100

/** The stream of targets that were given up. It is looked through from its start: people ask for it, and not often. */
export class DeadLetters {
  readonly #client: RedisClient
  readonly #keys: QueueKeys
  readonly #keepSeconds: number

  constructor(deps: { client: RedisClient; keys: QueueKeys; keepSeconds: number }) {
    this.#client = deps.client
    this.#keys = deps.keys
    this.#keepSeconds = deps.keepSeconds
  }

  /** The oldest first, after the one with the id `after`. */
  async list(filter: DeadLetterFilter, limit: number, after?: string): Promise<StoredLetter[]> {
    const found: StoredLetter[] = []
    for await (const letter of this.#walk(after)) {
      if (matches(letter, filter)) found.push(letter)
      if (found.length === limit) break
    }
    return found
  }

  /** Resolves to the sum of what `change` resolves to for those that match. */
  async change(filter: DeadLetterFilter, change: (letter: StoredLetter) => Promise<number>): Promise<number> {
    let targets = 0
    for await (const letter of this.#walk(undefined)) if (matches(letter, filter)) targets += await change(letter)
    return targets
  }

  /** Drops those whose time is over. */
  async forgetOld(): Promise<void> {
    const oldestMs = Date.now() - this.#keepSeconds * 1000
    await this.#client.xtrim(this.#keys.deadLetters, 'MINID', oldestMs)
  }

  async *#walk(after: string | undefined): AsyncGenerator<StoredLetter> {
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
