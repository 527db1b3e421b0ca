/**
 * The longest time between two questions to a partition for work, in ms. Work becomes due (retries, scheduled sends,
 * abandoned claims) without an announcement. It is less than the poll intervals of the loops that claim, so that each
 * poll asks all partitions.
 */
const MAX_SILENCE_MS = 200
/** The most partitions that are asked at the same time. */
const AT_ONCE = 4
/** The least share of a partition: with less, the scripts of claims cost more than the work in them. */
const MIN_SHARE = 32
/** How long a claim waits for the answer of a partition, in ms, so that one that hangs does not delay the others. */
const PATIENCE_MS = 500

interface Deps<Item> {
  /** The number of partitions. */
  count: number
  /** MAX_SILENCE_MS unless given; 0: each claim may ask all partitions. */
  maxSilenceMs?: number | undefined
  /** Takes the items of a partition that has answered after PATIENCE_MS. */
  onLate(partition: number, items: readonly Item[]): void
}

/** Claims items of a partition, at most `limit`. */
type Ask<Item> = (partition: number, limit: number) => Promise<Item[]>

/**
 * Chooses the partitions that claims of one kind ask, in turns: those with announced work and those with more work than
 * they were asked for, and now and then each. So an idle process asks them as seldom as one queue, and a partition with
 * much work does not delay another one.
 */
export class ClaimTurns<Item> {
  readonly #deps: Deps<Item>
  /** Partitions that may have work, in their turns. */
  #ready = new Set<number>()
  /** Partitions that have not answered yet. */
  readonly #asking = new Set<number>()
  /** The times of the last questions, by `performance.now()`. */
  readonly #askedAtMs: number[]

  constructor(deps: Deps<Item>) {
    this.#deps = deps
    this.#askedAtMs = Array.from({ length: deps.count }, () => Number.NEGATIVE_INFINITY)
  }

  /** Notes that a partition may have work. */
  announce(partition: number): void {
    this.#ready.add(partition)
  }

  /** Claims up to `limit` items. @throws the error of a partition, if no other one had an item */
  async claim(limit: number, ask: Ask<Item>): Promise<Item[]> {
    const turns = this.#takeTurns()
    const items: Item[] = []
    const errors: unknown[] = []
    while (turns.length > 0 && items.length < limit) {
      const left = limit - items.length
      const asked = turns.splice(0, Math.min(AT_ONCE, Math.max(1, Math.floor(left / MIN_SHARE))))
      const share = Math.floor(left / asked.length)
      const answers = await Promise.allSettled(asked.map((partition) => this.#ask(partition, share, ask)))
      for (const [index, answer] of answers.entries()) {
        if (answer.status === 'rejected') errors.push(answer.reason)
        else items.push(...answer.value)
        // A partition that has filled its share may have more. Its next turn comes after those of the others.
        if (answer.status === 'fulfilled' && answer.value.length >= share) turns.push(...asked.slice(index, index + 1))
      }
    }
    this.#ready = new Set([...turns, ...this.#ready])
    if (errors.length > 0 && items.length === 0) throw errors[0]
    return items
  }

  /** Asks one partition. Resolves to no items after PATIENCE_MS. */
  #ask(partition: number, limit: number, ask: Ask<Item>): Promise<Item[]> {
    this.#asking.add(partition)
    this.#askedAtMs[partition] = performance.now()
    return new Promise((resolve, reject) => {
      let isLate = false
      const patience = setTimeout(() => {
        isLate = true
        resolve([])
      }, PATIENCE_MS)
      const onItems = (items: Item[]) => (isLate ? this.#deps.onLate(partition, items) : resolve(items))
      void ask(partition, limit)
        .then(onItems, reject)
        .finally(() => {
          clearTimeout(patience)
          this.#asking.delete(partition)
        })
    })
  }

  #takeTurns(): number[] {
    const { maxSilenceMs = MAX_SILENCE_MS } = this.#deps
    const nowMs = performance.now()
    for (const [partition, askedAtMs] of this.#askedAtMs.entries()) {
      if (nowMs - askedAtMs >= maxSilenceMs) this.#ready.add(partition)
    }
    const turns = [...this.#ready].filter((partition) => !this.#asking.has(partition))
    for (const partition of turns) this.#ready.delete(partition)
    return turns
  }
}
