import type { Logger } from '../observability/log.ts'
import { answerWithin } from './answer-deadline.ts'
import { readDatabaseError } from './database-error.ts'
import type { Sql } from './pool.ts'

/** A replica that failed is not used for this many ms, so that not every read waits for its failure. */
const PAUSE_MS = 5000

interface Deps {
  primary: Sql
  /** The pools of the replicas, at least one. */
  replicas: readonly Sql[]
  /** How long to wait for an answer, in ms. */
  answerTimeoutMs: number
  logger: Logger
  /** Returns the current time in ms. */
  now(): number
}

interface Replica {
  number: number
  sql: Sql
  pausedUntilMs: number
}

/**
 * Reads from replicas in turn; while all of them are paused after failures, from the primary. Replicas may lag behind
 * the primary.
 */
export class Replicas {
  readonly #deps: Deps
  readonly #replicas: readonly Replica[]
  #turn = 0

  constructor(deps: Deps) {
    this.#deps = deps
    this.#replicas = deps.replicas.map((sql, index) => ({ number: index + 1, sql, pausedUntilMs: 0 }))
  }

  /** Runs `work`, which must only read, on a replica. If that fails, it runs it once more on the primary. */
  async read<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    const replica = this.#chooseReplica()
    if (!replica) return await this.#ask(this.#deps.primary, work)
    try {
      return await this.#ask(replica.sql, work)
    } catch (error) {
      // Any database error of a replica leads to the primary, not only a lost connection: a replica cancels reads that
      // conflict with replication, and its schema may be older.
      const cause = readDatabaseError(error)
      if (!cause) throw error
      replica.pausedUntilMs = this.#deps.now() + PAUSE_MS
      this.#deps.logger.warn(
        { replica: replica.number, code: cause.code },
        'database: replica failed, reading from the primary',
      )
      return await this.#ask(this.#deps.primary, work)
    }
  }

  #ask<T>(sql: Sql, work: (sql: Sql) => Promise<T>): Promise<T> {
    return answerWithin(work(sql), this.#deps.answerTimeoutMs)
  }

  /** Chooses the next replica that is not paused; undefined if all are. */
  #chooseReplica(): Replica | undefined {
    const nowMs = this.#deps.now()
    for (let tries = 0; tries < this.#replicas.length; tries++) {
      const replica = this.#replicas[this.#turn++ % this.#replicas.length]
      if (replica && replica.pausedUntilMs <= nowMs) return replica
    }
    return undefined
  }
}
