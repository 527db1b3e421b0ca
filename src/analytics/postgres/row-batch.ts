import type { RowLevel } from '../../config/sections/postgresql-analytics.ts'
import type { EventSource, StatusReport, TargetAttempt, TargetEvent } from '../analytics.ts'
import type { EventRun } from './event-runs.ts'
import { MinuteCounts } from './minute-counts.ts'
import { TextColumns } from './text-columns.ts'

/** The columns of EVENT_COLUMNS and ATTEMPT_COLUMNS in store-batch.ts. */
const EVENT_COLUMNS = 12
const ATTEMPT_COLUMNS = 12

/** The rows and counts that are stored together. */
export class RowBatch {
  readonly events = new TextColumns(EVENT_COLUMNS)
  readonly attempts = new TextColumns(ATTEMPT_COLUMNS)
  readonly counts = new MinuteCounts()

  /** The rows of both kinds. */
  get rows(): number {
    return this.events.rows + this.attempts.rows
  }

  get isEmpty(): boolean {
    return this.rows === 0 && this.counts.size === 0
  }

  /** Adds the row of an event. @param nowMs Unix time in ms */
  addEvent({ uid, provider, recipientType }: EventSource, event: TargetEvent, nowMs: number): void {
    const { recipient, deviceId, platform, user, messageId, status, errorCode, errorMessage } = event
    // biome-ignore format: one line for the shared columns, and one for those of the target
    this.events.add([
      String(nowMs), uid, provider, recipientType,
      recipient, deviceId, platform, user, messageId, status, errorCode, errorMessage,
    ])
  }

  /** Adds the row of an attempt. @param nowMs Unix time in ms */
  addAttempt({ uid, provider, recipientType }: EventSource, attempt: TargetAttempt, nowMs: number): void {
    const { recipient, deviceId, platform, user, errorCode, errorMessage } = attempt
    const [number, latencyMs] = [String(attempt.attempt), String(Math.round(attempt.latencyMs))]
    // biome-ignore format: one line for the shared columns, and one for those of the target
    this.attempts.add([
      String(nowMs), uid, provider, recipientType,
      recipient, deviceId, platform, user, number, errorCode, errorMessage, latencyMs,
    ])
  }

  /** Counts events. @param nowMs Unix time in ms @returns false if there is no room for another kind of event */
  countEvents({ provider, recipientType }: EventSource, run: EventRun, nowMs: number): boolean {
    const [{ platform, status, errorCode }] = run
    return this.counts.add(nowMs, [provider, recipientType, platform, status, errorCode], run.length)
  }

  /** Counts a report. @param nowMs Unix time in ms @returns false if there is no room for another kind of event */
  countReport({ status }: StatusReport, nowMs: number): boolean {
    return this.counts.add(nowMs, ['', '', '', status, ''])
  }
}

/** Whether an event gets a row of its own. */
export function hasRow(level: RowLevel, { isSmall }: EventSource, { status }: TargetEvent): boolean {
  return status !== 'sent' || level === 'all' || (level === 'small_and_failures' && isSmall)
}
