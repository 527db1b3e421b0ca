import type { DeadLetterFilter } from '../dead-letter.ts'
import type { QueueKeys } from './keys.ts'
import { readDeadLetters, type StoredLetter } from './replies.ts'
import type { Scope } from './scope.ts'
import { type RedisClient, Script } from './script.ts'

/** Read at a time; each holds a batch's targets. */
const PAGE = 100

const REVIVE = new Script('revive')

/** The stream of targets that were given up. It is looked through from its start: people ask for it, and not often. */
export class DeadLetters {
  readonly #client: RedisClient
  readonly #keys: QueueKeys

  constructor(deps: Scope) {
    this.#client = deps.client
    this.#keys = deps.keys
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

  /** Sends them again; resolves to how many targets. */
  retry(filter: DeadLetterFilter): Promise<number> {
    const { deadLetters, send, batches, drops, work } = this.#keys
    return this.#change(filter, async ({ id, uid, lane, provider }) => {
      const keys = [deadLetters, send(uid), batches(lane, provider), drops(uid)]
      return Number(await REVIVE.run(this.#client, keys, [id, work(lane)]))
    })
  }

  /** Forgets them; resolves to how many targets. */
  drop(filter: DeadLetterFilter): Promise<number> {
    return this.#change(filter, async ({ id, count }) =>
      (await this.#client.xdel(this.#keys.deadLetters, id)) === 1 ? count : 0,
    )
  }

  /** Resolves to the sum of what `change` resolves to for those that match. */
  async #change(filter: DeadLetterFilter, change: (letter: StoredLetter) => Promise<number>): Promise<number> {
    let targets = 0
    for await (const letter of this.#walk(undefined)) if (matches(letter, filter)) targets += await change(letter)
    return targets
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
