// Collects rows and counts in batches, and stores one batch after another:
//
//   row ──▶ open batch ──(BATCH_ROWS, or FLUSH_INTERVAL_MS)──▶ sealed ──(stored, or refused: dropped, counted)──▶ ended
//                                                                └──(a failure that may end: pause, repeat)
//
// Recording does no I/O and waits for nothing, so it never delays a push. While MAX_ROWS rows are not stored, new rows
// are dropped and counted. A killed process loses the rows of its last second.
import { randomUUID } from 'node:crypto'
import type { RowLevel } from '../../config/sections/postgresql-analytics.ts'
import { readDatabaseError } from '../../database/database-error.ts'
import type { Sql } from '../../database/pool.ts'
import type { RowMetrics, RowType } from '../../observability/analytics-metrics.ts'
import type { Logger } from '../../observability/log.ts'
import { OutageLog } from '../../observability/outage-log.ts'
import { withDeadline } from '../../timing/deadline.ts'
import { pause } from '../../timing/pause.ts'
import type {
  AttemptRecorder,
  EventRecorder,
  EventSource,
  StatusReport,
  TargetAttempt,
  TargetEvent,
} from '../analytics.ts'
import { groupRuns } from './event-runs.ts'
import { hasRow, RowBatch } from './row-batch.ts'
import { storeBatch } from './store-batch.ts'

/** A statement with these rows takes some 100 ms of PostgreSQL, so that no other waits long for its connection. */
const BATCH_ROWS = 10_000
/** How long rows are collected, in ms. */
const FLUSH_INTERVAL_MS = 1000
/** The most rows of a process that are not stored: about 60 MB. */
const MAX_ROWS = 100_000
/** The pause after a failed statement, in ms. */
const RETRY_PAUSE_MS = 1000
/** Errors of the data (SQLSTATE classes 22 and 23): the same rows fail again. */
const REFUSED = /^2[23]/

interface Deps {
  sql: Sql
  level: RowLevel
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
  readonly #outage: OutageLog
  readonly #overflow: OutageLog
  readonly #writer = randomUUID()
  readonly #sealed: RowBatch[] = []
  readonly #stopping = new AbortController()
  #open = new RowBatch()
  #stored = 0
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined

  constructor(deps: Deps) {
    this.#deps = deps
    const count = (kind: 'events' | 'attempts') => () =>
      [...this.#sealed, this.#open].reduce((sum, batch) => sum + batch[kind].rows, 0)
    this.#metrics = {
      notifications: deps.makeMetrics('notifications', count('events')),
      attempts: deps.makeMetrics('attempts', count('attempts')),
    }
    const { logger, now } = deps
    this.#outage = new OutageLog({ logger, kind: 'store', name: 'analytics', now })
    this.#overflow = new OutageLog({ logger, kind: 'store', name: 'analytics buffer', now })
  }

  /** Whether all rows and counts are stored. */
  get isEmpty(): boolean {
    return this.#open.isEmpty && this.#sealed.length === 0
  }

  /** The rows that are not stored yet. */
  get rows(): number {
    return this.#sealed.reduce((sum, batch) => sum + batch.rows, this.#open.rows)
  }

  recordEvents(source: EventSource, events: Iterable<TargetEvent>): void {
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
    this.#end('notifications', dropped)
  }

  recordAttempts(source: EventSource, attempts: Iterable<TargetAttempt>): void {
    const nowMs = this.#deps.now()
    let room = this.#room()
    let dropped = 0
    for (const attempt of attempts) {
      if (room-- > 0) this.#open.addAttempt(source, attempt, nowMs)
      else dropped++
      this.#sealFull()
    }
    this.#end('attempts', dropped)
  }

  /** Counts a report. Its row is stored already. */
  countReport(report: StatusReport): void {
    this.#end('notifications', this.#open.countReport(report, this.#deps.now()) ? 0 : 1)
  }

  /** Stores the collected rows within `graceMs`. Rows that are not stored in this time are dropped and counted. */
  async stop(graceMs: number): Promise<void> {
    this.#seal()
    this.#stopping.abort()
    await withDeadline(this.#running ?? Promise.resolve(), graceMs).catch(() => undefined)
    for (const { events, attempts } of this.#sealed) {
      this.#drop('shutdown', events.rows, attempts.rows)
    }
  }

  #room(): number {
    return (this.#deps.maxRows ?? MAX_ROWS) - this.rows
  }

  #end(type: RowType, dropped: number): void {
    if (dropped > 0) this.#onOverflow(type, dropped)
    else this.#overflow.onWell()
    if (!this.#open.isEmpty) {
      this.#timer ??= setTimeout(() => this.#seal(), this.#deps.flushIntervalMs ?? FLUSH_INTERVAL_MS).unref()
    }
  }

  #sealFull(): void {
    if (this.#open.rows >= BATCH_ROWS) this.#seal()
  }

  #seal(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#open.isEmpty) return
    const { events, attempts } = this.#open
    if (events.rows > 0) this.#metrics.notifications.batch(events.rows)
    if (attempts.rows > 0) this.#metrics.attempts.batch(attempts.rows)
    this.#sealed.push(this.#open)
    this.#open = new RowBatch()
    this.#running ??= this.#run()
  }

  /** Stores batches until all have ended. During a stop it ends with the first failure. Never rejects. */
  async #run(): Promise<void> {
    const { signal } = this.#stopping
    let failures = 0
    for (let batch = this.#sealed[0]; batch; batch = this.#sealed[0]) {
      const isEnded = await this.#store(batch, failures)
      failures = isEnded ? 0 : failures + 1
      if (isEnded) this.#sealed.shift()
      else if (signal.aborted) break
      else await pause(this.#deps.retryPauseMs ?? RETRY_PAUSE_MS, signal)
    }
    this.#running = undefined
  }

  /** Tries to store a batch. Resolves to whether it has ended. */
  async #store(batch: RowBatch, failures: number): Promise<boolean> {
    const startedMs = performance.now()
    const onEnd = (isOk: boolean) =>
      this.#metrics.notifications.flush((performance.now() - startedMs) / 1000, failures, isOk)
    try {
      await storeBatch(this.#deps.sql, { writer: this.#writer, batch: this.#stored + 1 }, batch)
      onEnd(true)
      this.#stored++
      this.#outage.onWell()
      return true
    } catch (error) {
      onEnd(false)
      const cause = readDatabaseError(error)
      const isRefused = cause !== undefined && REFUSED.test(cause.code)
      if (isRefused) this.#drop('refused', batch.events.rows, batch.attempts.rows)
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

  #onOverflow(type: RowType, dropped: number): void {
    this.#metrics[type].drop('buffer_full', dropped)
    this.#overflow.onFailure({
      cause: `${this.#deps.maxRows ?? MAX_ROWS} rows are not stored, new ones are dropped`,
      mend: 'see the outage of analytics, or reduce postgresql_analytics.rows',
    })
  }

  #drop(reason: 'shutdown' | 'refused', events: number, attempts: number): void {
    if (events > 0) this.#metrics.notifications.drop(reason, events)
    if (attempts > 0) this.#metrics.attempts.drop(reason, attempts)
  }
}
