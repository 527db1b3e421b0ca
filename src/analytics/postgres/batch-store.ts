// Stores sealed batches, one after another, and keeps them until PostgreSQL has them:
//
//   sealed ──▶ in the spool, or in memory if the spool fails ──(stored, or refused: dropped, counted)──▶ ended
//                         ▲                                     │
//                         └──(a failure that may end: pause)────┘
//
// PostgreSQL knows the tokens of the batches that it has, so it stores each once.
import { readDatabaseError } from '../../database/database-error.ts'
import type { Sql } from '../../database/pool.ts'
import type { RowDropReason, RowMetrics, RowType } from '../../observability/analytics-metrics.ts'
import type { Logger } from '../../observability/log.ts'
import { OutageLog } from '../../observability/outage-log.ts'
import { withDeadline } from '../../timing/deadline.ts'
import { pause } from '../../timing/pause.ts'
import type { SealedBatch } from '../spool/row-keeper.ts'
import { DamagedBatchError, type Spool, type SpooledBatch } from '../spool/spool.ts'
import { type BatchTexts, decodeBatch } from './batch-texts.ts'
import type { RowBatch } from './row-batch.ts'
import { storeBatch } from './store-batch.ts'

/** The pause after a failed statement, in ms. */
const RETRY_PAUSE_MS = 1000
/**
 * The stored batches of a process that PostgreSQL knows besides the last: a statement may arrive late by some, after its
 * connection was given up.
 */
const KNOWN_BATCHES = 1000
/** Errors of the data (SQLSTATE classes 22 and 23): the same rows fail again. */
const REFUSED = /^2[23]/

interface Deps {
  sql: Sql
  spool: Spool
  metrics: Record<RowType, RowMetrics>
  logger: Logger
  /** Unix time in ms. */
  now(): number
  /** Replaces the constant, for tests. */
  retryPauseMs?: number
}

interface QueuedBatch extends SealedBatch {
  /** The rows by their type. Those of a batch of an ended process count as events. */
  events: number
  attempts: number
  /** Undefined if the batch has to be read from the spool. */
  texts: BatchTexts | undefined
}

/** The batches of one process that PostgreSQL does not have yet. */
export class BatchStore {
  readonly #deps: Deps
  readonly #queue: QueuedBatch[] = []
  readonly #outage: OutageLog
  readonly #stopping = new AbortController()
  /** The tokens of stored batches without a file, the oldest first. */
  readonly #ended: string[] = []
  #running: Promise<void> | undefined

  constructor(deps: Deps) {
    this.#deps = deps
    this.#outage = new OutageLog({ logger: deps.logger, kind: 'store', name: 'analytics', now: deps.now })
  }

  /** The rows that are not stored yet. */
  count(type: 'events' | 'attempts'): number {
    return this.#queue.reduce((sum, batch) => sum + batch[type], 0)
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0
  }

  /** Adds a sealed batch. */
  add(batch: RowBatch, sealed: SealedBatch): void {
    this.#enqueue({ ...sealed, events: batch.events, attempts: batch.attempts, texts: batch.join() })
  }

  /** Adds a batch of an ended process. */
  addSpooled(batch: SpooledBatch): void {
    const spooled = Promise.resolve(batch)
    this.#enqueue({ token: batch.token, spooled, events: batch.rows, attempts: 0, texts: undefined })
  }

  /**
   * Stores the remaining batches within `graceMs`, as long as PostgreSQL accepts them. Others stay in the spool for the
   * next start; those that are only in memory are dropped and counted.
   */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort()
    await withDeadline(this.#running ?? Promise.resolve(), graceMs).catch(() => undefined)
    if (this.#queue.length === 0) return
    const files = await Promise.all(
      this.#queue.map(({ spooled }) => withDeadline(spooled, graceMs).catch(() => undefined)),
    )
    const lost = this.#queue.filter((_, index) => !files[index])
    for (const batch of lost) this.#drop('shutdown', batch)
    const batches = { kept: files.length - lost.length, lost: lost.length }
    this.#deps.logger.warn(batches, 'analytics: stopped before all batches were stored')
  }

  #enqueue(batch: QueuedBatch): void {
    this.#queue.push(batch)
    this.#running ??= this.#run()
  }

  /** Stores batches until all have ended. During a stop it ends with the first failure. Never rejects. */
  async #run(): Promise<void> {
    const { signal } = this.#stopping
    let failures = 0
    for (let batch = this.#queue[0]; batch; batch = this.#queue[0]) {
      const isEnded = await this.#end(batch, failures)
      failures = isEnded ? 0 : failures + 1
      if (isEnded) this.#queue.shift()
      else if (signal.aborted) break
      else await pause(this.#deps.retryPauseMs ?? RETRY_PAUSE_MS, signal)
    }
    this.#running = undefined
  }

  /** Tries to end a batch. Resolves to whether it has ended. */
  async #end(batch: QueuedBatch, failures: number): Promise<boolean> {
    const file = await batch.spooled
    const texts = batch.texts ?? (file && (await this.#read(file)))
    if (texts === 'unreadable') return false
    if (texts && !(await this.#store(batch, texts, failures))) return false
    if (!file || (await this.#remove(file))) this.#ended.push(batch.token)
    return true
  }

  /** Deletes a file. If that fails, the next process stores it again, and PostgreSQL detects the repetition. */
  async #remove(file: SpooledBatch): Promise<boolean> {
    try {
      await this.#deps.spool.remove(file)
      return true
    } catch (error) {
      this.#deps.logger.warn({ err: error }, 'analytics: file of a stored batch not deleted')
      return false
    }
  }

  /** Undefined if there is nothing to store: the file is damaged, or another process has taken it over. */
  async #read(file: SpooledBatch): Promise<BatchTexts | undefined | 'unreadable'> {
    try {
      const records = await this.#deps.spool.read(file)
      return records && decodeBatch(records)
    } catch (error) {
      const mend = 'check the disk of data_dir'
      this.#outage.onFailure({ cause: 'a batch of an ended process can not be read', mend }, { err: error })
      if (!(error instanceof DamagedBatchError)) return 'unreadable'
      this.#deps.metrics.notifications.drop('damaged', file.rows)
      return undefined
    }
  }

  /** Tries to store a batch. Resolves to whether it is stored or refused. */
  async #store(batch: QueuedBatch, texts: BatchTexts, failures: number): Promise<boolean> {
    const startedMs = performance.now()
    const onEnd = (isOk: boolean) =>
      this.#deps.metrics.notifications.flush((performance.now() - startedMs) / 1000, failures, isOk)
    try {
      const forgotten = this.#ended.slice(0, -KNOWN_BATCHES)
      await storeBatch(this.#deps.sql, { token: batch.token, forgotten }, texts)
      this.#ended.splice(0, forgotten.length)
      onEnd(true)
      this.#outage.onWell()
      return true
    } catch (error) {
      onEnd(false)
      const cause = readDatabaseError(error)
      const isRefused = cause !== undefined && REFUSED.test(cause.code)
      if (isRefused) this.#drop('refused', batch)
      this.#outage.onFailure(
        {
          cause: `analytics: ${cause?.code ?? 'unknown error'}`,
          mend: isRefused
            ? 'report this error; the rows of the batch were dropped'
            : 'see the outage of the database; rows are kept meanwhile',
        },
        { err: cause ?? error },
      )
      return isRefused
    }
  }

  #drop(reason: RowDropReason, { events, attempts }: QueuedBatch): void {
    if (events > 0) this.#deps.metrics.notifications.drop(reason, events)
    if (attempts > 0) this.#deps.metrics.attempts.drop(reason, attempts)
  }
}
