// Sends sealed batches to ClickHouse, one after another, and keeps them until they are stored there:
//
//   sealed ──▶ in the spool, or in memory if the spool fails ──(insert)──▶ stored: the file is deleted
//                         ▲                                    │
//                         └──(a failure that may end: pause)───┴──(ClickHouse refuses the rows)──▶ dropped, counted
//
// A batch has one token and the same bytes in every attempt, so that ClickHouse stores its rows once. A killed process
// leaves its files to another one, which continues with the same tokens.
import type { RowMetrics } from '../../observability/analytics-metrics.ts'
import type { Logger } from '../../observability/log.ts'
import { OutageLog } from '../../observability/outage-log.ts'
import { withDeadline } from '../../timing/deadline.ts'
import { pause } from '../../timing/pause.ts'
import type { SealedBatch } from '../spool/row-keeper.ts'
import { DamagedBatchError, type Spool, type SpooledBatch } from '../spool/spool.ts'
import { explainError } from './insert-error.ts'
import type { InsertedBatch, Inserter } from './inserter.ts'

/** Pauses after failures, in ms. The first one doubles up to the longest. */
export interface SendPauses {
  firstMs: number
  longestMs: number
  /** The pause after an error that lasts until somebody changes something. */
  operatorMs: number
}

export const SEND_PAUSES: SendPauses = { firstMs: 500, longestMs: 15_000, operatorMs: 30_000 }

interface Deps {
  inserter: Inserter
  spool: Spool
  metrics: RowMetrics
  logger: Logger
  /** Names the outages in the log. */
  name: string
  pauses: SendPauses
  /** Returns a number from 0 to 1. The processes of a server must not repeat their inserts at the same time. */
  random(): number
}

/** Where the rows of a batch are: in the spool, in memory, or in both. */
interface Stored {
  /** Undefined if the spool has failed. */
  file: SpooledBatch | undefined
  /** Undefined if the rows have to be read from the spool. */
  body: Buffer | undefined
}

interface QueuedBatch extends InsertedBatch {
  stored: Promise<Stored>
}

/** The queue of the batches of one process. */
export class BatchSender {
  readonly #deps: Deps
  readonly #queue: QueuedBatch[] = []
  readonly #stopping = new AbortController()
  readonly #aborting = new AbortController()
  readonly #spoolOutage: OutageLog
  #rows = 0
  #running: Promise<void> | undefined

  constructor(deps: Deps) {
    this.#deps = deps
    this.#spoolOutage = new OutageLog({
      logger: deps.logger,
      kind: 'store',
      name: `${deps.name} spool`,
      now: Date.now,
    })
  }

  /** The rows of all batches that ClickHouse has not accepted yet. */
  get rows(): number {
    return this.#rows
  }

  /**
   * Adds a batch of encoded rows. They stay in memory only if they are the next to be sent, because reading them again
   * costs a fifth of the work for a row, or if they are not in the spool.
   */
  add(rows: number, body: Buffer, { token, spooled }: SealedBatch): void {
    this.#deps.metrics.batch(rows)
    const isNext = this.#queue.length === 0
    const stored = spooled.then((file) => ({ file, body: isNext || !file ? body : undefined }))
    this.#enqueue(token, rows, stored)
  }

  /** Adds a batch that is in the spool. */
  addSpooled(batch: SpooledBatch): void {
    this.#enqueue(batch.token, batch.rows, Promise.resolve({ file: batch, body: undefined }))
  }

  /**
   * Sends the remaining batches within `graceMs`, as long as ClickHouse accepts them. Other batches stay in the spool
   * for the next start; those that are only in memory are dropped.
   */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort()
    await withDeadline(this.#running ?? Promise.resolve(), graceMs).catch(() => this.#aborting.abort())
    await this.#running
    let lost = 0
    for (const { rows, stored } of this.#queue) if (!(await stored).file) lost += rows
    if (this.#rows === 0) return
    if (lost > 0) this.#deps.metrics.drop('shutdown', lost)
    const kept = this.#rows - lost
    this.#deps.logger.warn({ kept, lost }, 'clickhouse: stopped before all rows were sent')
  }

  #enqueue(token: string, rows: number, stored: QueuedBatch['stored']): void {
    this.#rows += rows
    this.#queue.push({ token, rows, stored, failures: 0, boundTo: undefined })
    this.#running ??= this.#run()
  }

  /** Sends until the queue is empty, or during a stop until the first failure. Never rejects. */
  async #run(): Promise<void> {
    for (let head = this.#queue[0]; head; head = this.#queue[0]) {
      const pauseMs = await this.#send(head)
      if (pauseMs === undefined) {
        this.#queue.shift()
        this.#rows -= head.rows
      } else if (this.#stopping.signal.aborted) break
      else await pause(pauseMs, this.#stopping.signal)
    }
    this.#running = undefined
  }

  /** Tries to end a batch. Resolves to undefined if it is ended, otherwise to the ms until the next attempt. */
  async #send(batch: QueuedBatch): Promise<number | undefined> {
    const { file, body = await this.#read(file) } = await batch.stored
    if (body === 'unreadable') return this.#deps.pauses.longestMs
    if (body) {
      const result = await this.#deps.inserter.insert(batch, body, this.#aborting.signal)
      if (result === 'operator' || result === 'retry') {
        // During an outage the rows are on disk only.
        if (file) batch.stored = Promise.resolve({ file, body: undefined })
        return result === 'operator' ? this.#deps.pauses.operatorMs : this.#pauseAfter(batch.failures)
      }
      if (result === 'refused') this.#deps.metrics.drop('refused', batch.rows)
    }
    if (file) await this.#remove(file)
    return undefined
  }

  /**
   * Reads a batch from the spool. Undefined if there is nothing to insert: the file is damaged, or another process has
   * taken it over.
   */
  async #read(batch: SpooledBatch | undefined): Promise<Buffer | undefined | 'unreadable'> {
    if (!batch) return undefined
    try {
      const records = await this.#deps.spool.read(batch)
      return records && Buffer.concat(records.map(({ bytes }) => bytes))
    } catch (error) {
      this.#onSpoolFailure(error)
      if (!(error instanceof DamagedBatchError)) return 'unreadable'
      this.#deps.metrics.drop('damaged', batch.rows)
      return undefined
    }
  }

  /** Deletes a file. If that fails, the next process inserts it again, and ClickHouse detects the repetition. */
  async #remove(batch: SpooledBatch): Promise<void> {
    await this.#deps.spool.remove(batch).catch((error: unknown) => this.#onSpoolFailure(error))
  }

  #onSpoolFailure(error: unknown): void {
    const mend = 'make data_dir writable, free space, check the disk; new rows are kept in memory meanwhile'
    this.#spoolOutage.onFailure({ cause: explainError(error), mend }, { err: error })
  }

  /** Doubles with each failure; half of it is random. */
  #pauseAfter(failures: number): number {
    const { pauses, random } = this.#deps
    const longest = Math.min(pauses.firstMs * 2 ** Math.min(failures - 1, 30), pauses.longestMs)
    return longest * (0.5 + random() / 2)
  }
}
