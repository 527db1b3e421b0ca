import type { Logger } from '../observability/log.ts'
import { answerWithin } from './answer-deadline.ts'
import { readDatabaseError } from './database-error.ts'
import type { Sql } from './pool.ts'

/** A failed replica is not used for this long, so that not every read waits for its failure. */
const PAUSE_MS = 5000

interface Deps {
  primary: Sql
  /** One or more. */
  replicas: readonly Sql[]
  /** The time limit of one answer. */
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

/**
 * Reads from replicas in turn, and from the primary while all of them are paused. Replicas may lag behind the primary.
 */
export class Replicas {
  readonly #deps: Deps
  readonly #replicas: readonly Replica[]
  #turn = 0

  constructor(deps: Deps) {
    this.#deps = deps
    this.#replicas = deps.replicas.map((sql, index) => ({ number: index + 1, sql, pausedUntilMs: 0 }))
  }

  /** Runs `work`, which must only read, on a replica, and if that fails once more on the primary. */
  async read<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    const replica = this.#chooseReplica()
    if (!replica) return await this.#ask(this.#deps.primary, work)
    try {
      return await this.#ask(replica.sql, work)
    } catch (error) {
      // Besides lost connections: a replica cancels reads that conflict with replication, and its schema may be older.
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

  /** The next replica that is not paused; undefined when all are. */
  #chooseReplica(): Replica | undefined {
    const nowMs = this.#deps.now()
    for (let tries = 0; tries < this.#replicas.length; tries++) {
      const replica = this.#replicas[this.#turn++ % this.#replicas.length]
      if (replica && replica.pausedUntilMs <= nowMs) return replica
    }
    return undefined
  }
}
