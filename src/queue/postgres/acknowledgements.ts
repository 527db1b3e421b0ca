import type { Sql } from '../../database/pool.ts'
import { type Settlement, settleBatches } from './settle-statements.ts'

/** Few enough to be written within milliseconds. */
const MAX_TOGETHER = 64

interface Waiting {
  settlement: Settlement
  resolve(result: 'acknowledged' | 'lost'): void
  reject(error: unknown): void
}

/** Acknowledgements that arrive while one is being written share the next statement, and so its commit. */
export class Acknowledgements {
  readonly #sql: Sql
  readonly #waiting: Waiting[] = []
  #isWriting = false

  constructor(deps: { sql: Sql }) {
    this.#sql = deps.sql
  }

  /** Settles a batch; see settleBatches(). */
  add(settlement: Settlement): Promise<'acknowledged' | 'lost'> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ settlement, resolve, reject })
      if (!this.#isWriting) void this.#write()
    })
  }

  /** Never rejects: what fails does so in the promises of those that it was for. */
  async #write(): Promise<void> {
    this.#isWriting = true
    while (this.#waiting.length > 0) await this.#writeSome(this.#waiting.splice(0, MAX_TOGETHER))
    this.#isWriting = false
  }

  async #writeSome(some: readonly Waiting[]): Promise<void> {
    try {
      const settled = await settleBatches(
        this.#sql,
        some.map(({ settlement }) => settlement),
      )
      for (const { settlement, resolve } of some) resolve(settled.has(settlement.claim.id) ? 'acknowledged' : 'lost')
    } catch (error) {
      for (const { reject } of some) reject(error)
    }
  }
}
