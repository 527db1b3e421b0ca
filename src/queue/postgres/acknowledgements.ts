import type { Sql } from '../../database/pool.ts'
import { type Acknowledgement, acknowledgeBatches } from './acknowledge-statement.ts'

/** The most acknowledgements that one statement executes, so that it takes only milliseconds. */
const MAX_TOGETHER = 64

interface Waiting {
  end: Acknowledgement
  resolve(result: 'acknowledged' | 'lost'): void
  reject(error: unknown): void
}

/** Groups acknowledgements: those that arrive during a statement share the next statement and its commit. */
export class Acknowledgements {
  readonly #sql: Sql
  readonly #waiting: Waiting[] = []
  #isWriting = false

  constructor(deps: { sql: Sql }) {
    this.#sql = deps.sql
  }

  /** Acknowledges a batch together with others that arrive at the same time; see acknowledgeBatches(). */
  add(end: Acknowledgement): Promise<'acknowledged' | 'lost'> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ end, resolve, reject })
      if (!this.#isWriting) void this.#write()
    })
  }

  /**
   * Executes groups of acknowledgements one after another. Never rejects: an error of a statement rejects the promises
   * of its acknowledgements.
   */
  async #write(): Promise<void> {
    this.#isWriting = true
    while (this.#waiting.length > 0) await this.#writeGroup(this.#takeGroup())
    this.#isWriting = false
  }

  /**
   * Takes the acknowledgements for the next statement. A repeated one is left for the statement after it: one statement
   * with both would store the retries of the batch twice.
   */
  #takeGroup(): Waiting[] {
    const group = new Map<string, Waiting>()
    const others: Waiting[] = []
    for (const waiting of this.#waiting.splice(0)) {
      const { id } = waiting.end.claim
      if (group.size < MAX_TOGETHER && !group.has(id)) group.set(id, waiting)
      else others.push(waiting)
    }
    this.#waiting.push(...others)
    return [...group.values()]
  }

  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    try {
      const ended = await acknowledgeBatches(
        this.#sql,
        group.map(({ end }) => end),
      )
      for (const { end, resolve } of group) resolve(ended.has(end.claim.id) ? 'acknowledged' : 'lost')
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }
}
