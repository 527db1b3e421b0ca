// Collects the rows of one table and seals them to batches for ClickHouse:
//
//   row ──▶ open buffer ──(flush_size rows, 16 MB, or flush_interval)──▶ batch, see batch-sender.ts
//
// Rows are encoded when they are recorded. Recording does no I/O and waits for nothing, so it never delays a push. At
// `max_buffer_size` rows that ClickHouse has not accepted, new rows are dropped and counted.
import type { RowMetrics } from '../../observability/analytics-metrics.ts'
import type { Logger } from '../../observability/log.ts'
import { OutageLog } from '../../observability/outage-log.ts'
import { type Repetition, startRepeating } from '../../timing/repeat.ts'
import type { BatchSender } from './batch-sender.ts'
import { RowBuffer } from './row-buffer.ts'
import { encodeShared, type SharedFacts } from './shared-columns.ts'
import type { Spool } from './spool.ts'

/** The size at which a batch is sealed, in bytes: long error messages must not make it many times larger. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024
/** How often the files of ended processes are looked for, in ms. */
const ADOPT_INTERVAL_MS = 60_000

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
  #buffer = new RowBuffer()
  #openRows = 0
  #timer: NodeJS.Timeout | undefined
  #adoption: Repetition | undefined

  constructor(deps: Deps<Row>) {
    this.#deps = deps
    this.#overflow = new OutageLog({ logger: deps.logger, kind: 'store', name: `${deps.name} buffer`, now: deps.now })
  }

  /** Sends the batches of ended processes too, now and every minute. */
  start(): void {
    const { logger } = this.#deps
    this.#adoption = startRepeating({
      intervalMs: ADOPT_INTERVAL_MS,
      startsAtOnce: true,
      work: () => this.#adopt(),
      onError: (error) => logger.warn({ err: error }, 'clickhouse: batches of ended processes not read'),
    })
  }

  /** The rows that ClickHouse has not accepted yet. */
  get rows(): number {
    return this.#openRows + this.#deps.sender.rows
  }

  /** Records rows that happen now. It does no I/O and never fails: rows without room are dropped and counted. */
  record(source: SharedFacts, rows: Iterable<Row>): void {
    const shared = encodeShared(source, Math.floor(this.#deps.now() / 1000))
    let dropped = 0
    for (const row of rows) {
      if (this.rows < this.#deps.maxRows) this.#append(shared, row)
      else dropped++
    }
    if (dropped === 0) this.#overflow.onWell()
    else this.#onOverflow(dropped)
  }

  /** Sends the collected rows within `graceMs`. Rows that ClickHouse does not accept stay in the spool. */
  async stop(graceMs: number): Promise<void> {
    await this.#adoption?.stop()
    this.#seal()
    await this.#deps.sender.stop(graceMs)
    await this.#deps.spool.close()
  }

  #append(shared: Uint8Array, row: Row): void {
    this.#deps.append(this.#buffer, shared, row)
    this.#openRows++
    if (this.#openRows >= this.#deps.flushRows || this.#buffer.size >= MAX_BATCH_BYTES) this.#seal()
    else this.#timer ??= setTimeout(() => this.#seal(), this.#intervalMs()).unref()
  }

  #seal(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#openRows === 0) return
    const body = this.#buffer.take()
    this.#deps.sender.add(this.#openRows, body)
    // The next batch is probably as large. A buffer that grows costs copies and a quarter of a row's work for V8's
    // garbage collector.
    this.#buffer = new RowBuffer(Math.ceil(body.length * 1.1))
    this.#openRows = 0
  }

  /** The interval, shortened by a random part of up to a quarter. */
  #intervalMs(): number {
    return this.#deps.flushIntervalMs * (1 - this.#deps.random() / 4)
  }

  async #adopt(): Promise<void> {
    const { spool, sender, logger, maxRows } = this.#deps
    const batches = await spool.adopt(maxRows - this.rows)
    for (const batch of batches) sender.addSpooled(batch)
    if (batches.length > 0)
      logger.info({ batches: batches.length }, 'clickhouse: batches of ended processes taken over')
  }

  #onOverflow(dropped: number): void {
    this.#deps.metrics.drop('buffer_full', dropped)
    this.#overflow.onFailure({
      cause: `${this.#deps.maxRows} rows were not accepted, new ones are dropped`,
      mend: 'see the outage of clickhouse, or raise clickhouse_analytics.export.notifications.max_buffer_size',
    })
  }
}
