// Collects rows and counts in batches:
//
//   row ──▶ open batch ──(BATCH_ROWS, or FLUSH_INTERVAL_MS)──▶ sealed batch, see batch-store.ts
//
// Rows and counts are appended to the file of their batch. While MAX_ROWS rows are not stored, new rows are dropped and
// counted.
import type { RowLevel } from '../../config/sections/postgresql-analytics.ts'
import type { Sql } from '../../database/pool.ts'
import type { RowMetrics, RowType } from '../../observability/analytics-metrics.ts'
import type { Logger } from '../../observability/log.ts'
import { OutageLog } from '../../observability/outage-log.ts'
import type { Repetition } from '../../timing/repeat.ts'
import type {
  AttemptRecorder,
  EventRecorder,
  EventSource,
  StatusReport,
  TargetAttempt,
  TargetEvent,
} from '../analytics.ts'
import { RowKeeper } from '../spool/row-keeper.ts'
import type { Spool } from '../spool/spool.ts'
import { startAdoption } from '../spool/start-adoption.ts'
import { BatchStore } from './batch-store.ts'
import { groupRuns } from './event-runs.ts'
import { hasRow, RowBatch } from './row-batch.ts'

/** A statement with these rows takes some 100 ms of PostgreSQL, so that no other waits long for its connection. */
const BATCH_ROWS = 10_000
/** How long rows are collected, in ms. */
const FLUSH_INTERVAL_MS = 1000
/** The most rows of a process that are not stored: about 60 MB. */
const MAX_ROWS = 100_000

interface Deps {
  sql: Sql
  level: RowLevel
  spool: Spool
  makeMetrics(type: RowType, countRows: () => number): RowMetrics
  logger: Logger
  /** Unix time in ms. */
  now(): number
  /** Replace the constants, for tests. */
  flushIntervalMs?: number
  retryPauseMs?: number
  maxRows?: number
}

/** Records events and attempts in PostgreSQL. */
export class PostgresAnalytics implements EventRecorder, AttemptRecorder {
  readonly #deps: Deps
  readonly #metrics: Record<RowType, RowMetrics>
  readonly #overflow: OutageLog
  readonly #keeper: RowKeeper
  readonly #store: BatchStore
  #open = new RowBatch()
  #timer: NodeJS.Timeout | undefined
  #adoption: Repetition | undefined

  constructor(deps: Deps) {
    this.#deps = deps
    const count = (type: 'events' | 'attempts') => () => this.#open[type] + this.#store.count(type)
    this.#metrics = {
      notifications: deps.makeMetrics('notifications', count('events')),
      attempts: deps.makeMetrics('attempts', count('attempts')),
    }
    const { logger, now } = deps
    this.#overflow = new OutageLog({ logger, kind: 'store', name: 'analytics buffer', now })
    this.#keeper = new RowKeeper({ ...deps, name: 'analytics', collected: this.#open })
    this.#store = new BatchStore({ ...deps, metrics: this.#metrics })
  }

  /** Stores the batches of ended processes too, now and every minute. */
  start(): void {
    const { spool, logger } = this.#deps
    this.#adoption = startAdoption({
      spool,
      room: () => this.#room(),
      onBatch: (batch) => this.#store.addSpooled(batch),
      logger,
    })
  }

  /** Whether all rows and counts are stored. */
  get isEmpty(): boolean {
    return this.#open.isEmpty && this.#store.isEmpty
  }

  /** The rows that are not stored yet. */
  get rows(): number {
    return this.#open.rows + this.#store.count('events') + this.#store.count('attempts')
  }

  async recordEvents(source: EventSource, events: Iterable<TargetEvent>): Promise<void> {
    const nowMs = this.#deps.now()
    let room = this.#room()
    let dropped = 0
    for (const run of groupRuns(events)) {
      if (!this.#open.countEvents(source, run, nowMs)) dropped += run.length
      if (!hasRow(this.#deps.level, source, run[0])) continue
      for (const event of run) {
        if (room-- > 0) this.#open.addEvent(source, event, nowMs)
        else dropped++
        this.#sealFull()
      }
    }
    await this.#end('notifications', dropped)
  }

  async recordAttempts(source: EventSource, attempts: Iterable<TargetAttempt>): Promise<void> {
    const nowMs = this.#deps.now()
    let room = this.#room()
    let dropped = 0
    for (const attempt of attempts) {
      if (room-- > 0) this.#open.addAttempt(source, attempt, nowMs)
      else dropped++
      this.#sealFull()
    }
    await this.#end('attempts', dropped)
  }

  /** Counts a report, whose row is stored already. Resolves as `recordEvents` does. */
  async countReport(report: StatusReport): Promise<void> {
    await this.#end('notifications', this.#open.countReport(report, this.#deps.now()) ? 0 : 1)
  }

  /** Stores the collected rows within `graceMs`. Rows that PostgreSQL does not accept stay in the spool. */
  async stop(graceMs: number): Promise<void> {
    await this.#adoption?.stop()
    this.#seal()
    await this.#store.stop(graceMs)
    await this.#deps.spool.close()
  }

  #room(): number {
    return (this.#deps.maxRows ?? MAX_ROWS) - this.rows
  }

  async #end(type: RowType, dropped: number): Promise<void> {
    if (dropped > 0) this.#onOverflow(type, dropped)
    else this.#overflow.onWell()
    if (!this.#open.isEmpty) {
      this.#timer ??= setTimeout(() => this.#seal(), this.#deps.flushIntervalMs ?? FLUSH_INTERVAL_MS).unref()
    }
    await this.#keeper.keep()
  }

  #sealFull(): void {
    if (this.#open.rows >= BATCH_ROWS) this.#seal()
  }

  #seal(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#open.isEmpty) return
    const sealed = this.#open
    this.#open = new RowBatch()
    if (sealed.events > 0) this.#metrics.notifications.batch(sealed.events)
    if (sealed.attempts > 0) this.#metrics.attempts.batch(sealed.attempts)
    this.#store.add(sealed, this.#keeper.seal(this.#open))
  }

  #onOverflow(type: RowType, dropped: number): void {
    this.#metrics[type].drop('buffer_full', dropped)
    this.#overflow.onFailure({
      cause: `${this.#deps.maxRows ?? MAX_ROWS} rows are not stored, new ones are dropped`,
      mend: 'see the outage of analytics, or reduce postgresql_analytics.rows',
    })
  }
}
