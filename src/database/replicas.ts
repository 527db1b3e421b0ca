import type { Logger } from '../observability/log.ts'
import { answerWithin } from './answer-deadline.ts'
import { readDatabaseError } from './database-error.ts'
import type { Sql } from './pool.ts'

/** How long a replica that failed is left alone, so that not every read has to wait until it fails again. */
const PAUSE_MS = 5000

interface Deps {
  primary: Sql
  /** One or more. */
  replicas: readonly Sql[]
  /** How long each of them may take to answer. */
  answerTimeoutMs: number
  logger: Logger
  /** Time in ms. */
  now(): number
}

interface Replica {
  number: number
  sql: Sql
  pausedUntilMs: number
}

/** Reads from replicas in turn, and from the primary while they are away. What they return may be a moment old. */
export class Replicas {
  readonly #deps: Deps
  readonly #replicas: readonly Replica[]
  #turn = 0

  constructor(deps: Deps) {
    this.#deps = deps
    this.#replicas = deps.replicas.map((sql, index) => ({ number: index + 1, sql, pausedUntilMs: 0 }))
  }

  /** Runs `work`, which may only read, on a replica; once more on the primary when the replica failed. */
  async read<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    const replica = this.#chooseReplica()
    if (!replica) return await this.#ask(this.#deps.primary, work)
    try {
      return await this.#ask(replica.sql, work)
    } catch (error) {
      // Beside lost connections: reads that a replica cancels for the changes it has to apply, and a schema that lags.
      const cause = readDatabaseError(error)
      if (!cause) throw error
      replica.pausedUntilMs = this.#deps.now() + PAUSE_MS
      this.#deps.logger.warn(
        { replica: replica.number, code: cause.code },
        'database: replica failed, reading elsewhere',
      )
      return await this.#ask(this.#deps.primary, work)
    }
  }

  #ask<T>(sql: Sql, work: (sql: Sql) => Promise<T>): Promise<T> {
    return answerWithin(work(sql), this.#deps.answerTimeoutMs)
  }

  /** The next one that is not paused. */
  #chooseReplica(): Replica | undefined {
    const nowMs = this.#deps.now()
    for (let tries = 0; tries < this.#replicas.length; tries++) {
      const replica = this.#replicas[this.#turn++ % this.#replicas.length]
      if (replica && replica.pausedUntilMs <= nowMs) return replica
    }
    return undefined
  }
}
