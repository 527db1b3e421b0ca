// Collects the rows of one table and seals them to batches for ClickHouse:
//
//   row ──▶ open batch ──(flush_size rows, 16 MB, or flush_interval)──▶ sealed batch, see batch-sender.ts
//
// Rows are encoded when they are recorded, and then appended to the file of their batch. At `max_buffer_size` rows that
// ClickHouse has not accepted, new rows are dropped and counted.
import type { RowMetrics } from '../../observability/analytics-metrics.ts'
import type { Logger } from '../../observability/log.ts'
import { OutageLog } from '../../observability/outage-log.ts'
import type { Repetition } from '../../timing/repeat.ts'
import { RowKeeper } from '../spool/row-keeper.ts'
import type { Spool } from '../spool/spool.ts'
import { startAdoption } from '../spool/start-adoption.ts'
import type { BatchSender } from './batch-sender.ts'
import { EncodedRows } from './encoded-rows.ts'
import type { RowBuffer } from './row-buffer.ts'
import { encodeShared, type SharedFacts } from './shared-columns.ts'

/** The size at which a batch is sealed, in bytes: long error messages must not make it many times larger. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024

interface Deps<Row> {
  /** Encodes a row after the columns that it shares with others. */
  append(buffer: RowBuffer, shared: Uint8Array, row: Row): void
  sender: BatchSender
  spool: Spool
  metrics: RowMetrics
  logger: Logger
  /** Names the outages in the log. */
  name: string
  /** The limits of the open buffer, and of all rows of this process. */
  flushRows: number
  flushIntervalMs: number
  maxRows: number
  /** Unix time in ms. */
  now(): number
  /** Returns a number from 0 to 1. The processes of a server must not send at the same time. */
  random(): number
}

/** The export of the rows of one table. */
export class RowExport<Row> {
  readonly #deps: Deps<Row>
  readonly #overflow: OutageLog
  readonly #keeper: RowKeeper
  #open = new EncodedRows()
  #timer: NodeJS.Timeout | undefined
  #adoption: Repetition | undefined

  constructor(deps: Deps<Row>) {
    this.#deps = deps
    this.#overflow = new OutageLog({ logger: deps.logger, kind: 'store', name: `${deps.name} buffer`, now: deps.now })
    this.#keeper = new RowKeeper({ ...deps, collected: this.#open })
  }

  /** Sends the batches of ended processes too, now and every minute. */
  start(): void {
    const { spool, sender, maxRows, logger } = this.#deps
    this.#adoption = startAdoption({
      spool,
      room: () => maxRows - this.rows,
      onBatch: (batch) => sender.addSpooled(batch),
      logger,
    })
  }

  /** The rows that ClickHouse has not accepted yet. */
  get rows(): number {
    return this.#open.rows + this.#deps.sender.rows
  }

  /** Records rows that happen now, as `EventRecorder` does. */
  async record(source: SharedFacts, rows: Iterable<Row>): Promise<void> {
    const shared = encodeShared(source, Math.floor(this.#deps.now() / 1000))
    let dropped = 0
    for (const row of rows) {
      if (this.rows < this.#deps.maxRows) this.#append(shared, row)
      else dropped++
    }
    if (dropped === 0) this.#overflow.onWell()
    else this.#onOverflow(dropped)
    await this.#keeper.keep()
  }

  /** Sends the collected rows within `graceMs`. Rows that ClickHouse does not accept stay in the spool. */
  async stop(graceMs: number): Promise<void> {
    await this.#adoption?.stop()
    this.#seal()
    await this.#deps.sender.stop(graceMs)
    await this.#deps.spool.close()
  }

  #append(shared: Uint8Array, row: Row): void {
    this.#deps.append(this.#open.buffer, shared, row)
    this.#open.rows++
    if (this.#open.rows >= this.#deps.flushRows || this.#open.buffer.size >= MAX_BATCH_BYTES) this.#seal()
    else this.#timer ??= setTimeout(() => this.#seal(), this.#intervalMs()).unref()
  }

  #seal(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const { rows, buffer } = this.#open
    if (rows === 0) return
    // The next batch is probably as large. A buffer that grows costs copies and a quarter of a row's work for V8's
    // garbage collector.
    this.#open = new EncodedRows(Math.ceil(buffer.size * 1.1))
    this.#deps.sender.add(rows, buffer.take(), this.#keeper.seal(this.#open))
  }

  /** The interval, shortened by a random part of up to a quarter. */
  #intervalMs(): number {
    return this.#deps.flushIntervalMs * (1 - this.#deps.random() / 4)
  }

  #onOverflow(dropped: number): void {
    this.#deps.metrics.drop('buffer_full', dropped)
    this.#overflow.onFailure({
      cause: `${this.#deps.maxRows} rows were not accepted, new ones are dropped`,
      mend: 'see the outage of clickhouse, or raise clickhouse_analytics.export.notifications.max_buffer_size',
    })
  }
}
