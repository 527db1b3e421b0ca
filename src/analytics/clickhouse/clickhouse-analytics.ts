import type {
  Analytics,
  AttemptRecorder,
  EventRecorder,
  EventSource,
  StatusReport,
  TargetAttempt,
  TargetEvent,
} from '../analytics.ts'
import type { NotificationRow } from './notification-row.ts'
import type { RowExport } from './row-export.ts'

interface Deps {
  notifications: RowExport<NotificationRow>
  attempts: RowExport<TargetAttempt>
}

/** Records reports, events and attempts as rows of ClickHouse's tables. */
export class ClickhouseAnalytics implements Analytics, EventRecorder, AttemptRecorder {
  readonly #notifications: RowExport<NotificationRow>
  readonly #attempts: RowExport<TargetAttempt>

  constructor({ notifications, attempts }: Deps) {
    this.#notifications = notifications
    this.#attempts = attempts
  }

  /** Sends the batches of ended processes too, now and every minute. */
  start(): void {
    this.#notifications.start()
    this.#attempts.start()
  }

  /** The rows that ClickHouse has not accepted yet. */
  get rows(): number {
    return this.#notifications.rows + this.#attempts.rows
  }

  async recordStatus({ uid, status, deviceId, messageId }: StatusReport): Promise<void> {
    const row = { recipient: '', deviceId, platform: '', user: '', messageId, status, errorCode: '', errorMessage: '' }
    await this.#notifications.record({ uid, provider: '', recipientType: '' }, [row])
  }

  recordEvents(source: EventSource, events: Iterable<TargetEvent>): Promise<void> {
    return this.#notifications.record(source, events)
  }

  recordAttempts(source: EventSource, attempts: Iterable<TargetAttempt>): Promise<void> {
    return this.#attempts.record(source, attempts)
  }

  /** Sends the collected rows within `graceMs`. Rows that ClickHouse does not accept stay in the spool. */
  async stop(graceMs: number): Promise<void> {
    await Promise.all([this.#notifications.stop(graceMs), this.#attempts.stop(graceMs)])
  }
}
