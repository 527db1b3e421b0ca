import type { RowLevel } from '../../config/sections/postgresql-analytics.ts'
import type { EventSource, StatusReport, TargetAttempt, TargetEvent } from '../analytics.ts'
import type { CollectedRows } from '../spool/growing-file.ts'
import type { SpoolRecord } from '../spool/records.ts'
import { type BatchTexts, encodeParts, joinRows } from './batch-texts.ts'
import type { EventRun } from './event-runs.ts'
import { MinuteCounts } from './minute-counts.ts'
import { TextColumns } from './text-columns.ts'

/** The columns of EVENT_COLUMNS and ATTEMPT_COLUMNS in store-batch.ts. */
const EVENT_COLUMNS = 12
const ATTEMPT_COLUMNS = 12

/** The rows and counts that were added between two writes to the spool. */
class Part {
  readonly events = new TextColumns(EVENT_COLUMNS)
  readonly attempts = new TextColumns(ATTEMPT_COLUMNS)
  readonly counts = new MinuteCounts()

  get isEmpty(): boolean {
    return this.events.rows === 0 && this.attempts.rows === 0 && this.counts.size === 0
  }

  join(): BatchTexts {
    return { events: this.events.join(), attempts: this.attempts.join(), counts: this.counts.join() }
  }
}

/** The rows and counts that are stored together. */
export class RowBatch implements CollectedRows {
  readonly #counts = new MinuteCounts()
  readonly #parts: BatchTexts[] = []
  readonly #rows = { events: 0, attempts: 0 }
  #part = new Part()
  #written = { parts: 0, rows: 0 }
  #taken = this.#written

  /** The rows of events. */
  get events(): number {
    return this.#rows.events
  }

  /** The rows of attempts. */
  get attempts(): number {
    return this.#rows.attempts
  }

  get rows(): number {
    return this.#rows.events + this.#rows.attempts
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0 && this.#part.isEmpty
  }

  /** Adds the row of an event. @param nowMs Unix time in ms */
  addEvent({ uid, provider, recipientType }: EventSource, event: TargetEvent, nowMs: number): void {
    const { recipient, deviceId, platform, user, messageId, status, errorCode, errorMessage } = event
    // biome-ignore format: one line for the shared columns, and one for those of the target
    this.#part.events.add([
      String(nowMs), uid, provider, recipientType,
      recipient, deviceId, platform, user, messageId, status, errorCode, errorMessage,
    ])
    this.#rows.events++
  }

  /** Adds the row of an attempt. @param nowMs Unix time in ms */
  addAttempt({ uid, provider, recipientType }: EventSource, attempt: TargetAttempt, nowMs: number): void {
    const { recipient, deviceId, platform, user, errorCode, errorMessage } = attempt
    const [number, latencyMs] = [String(attempt.attempt), String(Math.round(attempt.latencyMs))]
    // biome-ignore format: one line for the shared columns, and one for those of the target
    this.#part.attempts.add([
      String(nowMs), uid, provider, recipientType,
      recipient, deviceId, platform, user, number, errorCode, errorMessage, latencyMs,
    ])
    this.#rows.attempts++
  }

  /** Counts events. @param nowMs Unix time in ms @returns false if there is no room for another kind of event */
  countEvents({ provider, recipientType }: EventSource, run: EventRun, nowMs: number): boolean {
    const [{ platform, status, errorCode }] = run
    return this.#count(nowMs, [provider, recipientType, platform, status, errorCode], run.length)
  }

  /** Counts a report. @param nowMs Unix time in ms @returns false if there is no room for another kind of event */
  countReport({ status }: StatusReport, nowMs: number): boolean {
    return this.#count(nowMs, ['', '', '', status, ''], 1)
  }

  takeUnwritten(): SpoolRecord | undefined {
    this.#endPart()
    const { parts, rows } = this.#written
    this.#taken = { parts: this.#parts.length, rows: this.rows }
    if (this.#parts.length === parts) return undefined
    return encodeParts(this.rows - rows, this.#parts.slice(parts))
  }

  onWritten(): void {
    this.#written = this.#taken
  }

  /** The texts of all rows and counts. */
  join(): BatchTexts {
    this.#endPart()
    return { ...joinRows(this.#parts), counts: this.#counts.join() }
  }

  #count(nowMs: number, parts: readonly string[], count: number): boolean {
    return this.#counts.add(nowMs, parts, count) && this.#part.counts.add(nowMs, parts, count)
  }

  #endPart(): void {
    if (this.#part.isEmpty) return
    this.#parts.push(this.#part.join())
    this.#part = new Part()
  }
}

/** Whether an event gets a row of its own. */
export function hasRow(level: RowLevel, { isSmall }: EventSource, { status }: TargetEvent): boolean {
  return status !== 'sent' || level === 'all' || (level === 'small_and_failures' && isSmall)
}
