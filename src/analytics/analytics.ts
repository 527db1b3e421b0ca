// The contract of analytics: other rooms import only this file.

/** An app's report about a notification that reached its device. */
export interface StatusReport {
  /** The `analytics_uid` of the send. If a send has none, it is the send's `uid`. */
  uid: string
  status: 'delivered' | 'interacted'
  deviceId: string
  /** The provider's id of the message; empty if the app does not have it. */
  messageId: string
}

/** The store of apps' reports about notifications. */
export interface Analytics {
  /** Resolves when the report is stored, or with ClickHouse when it survives the end of this process. */
  recordStatus(report: StatusReport): Promise<void>
}

/** The facts that the targets of a batch have in common. */
export interface EventSource {
  /** The `analytics_uid` of the send. If a send has none, it is the send's `uid`. */
  uid: string
  provider: string
  /** The kind of the targets: `token`, `topic` or `condition`. */
  recipientType: string
  /** Whether the send has at most a hundred targets. By default PostgreSQL keeps a row for each target of these. */
  isSmall: boolean
}

/** The final event of one target of a send: no attempt follows. */
export interface TargetEvent {
  /**
   * `failed`: refused by the provider or given up. `expired`, `cancelled`: ended before it was sent. `dropped`: not
   * sent because of a rule, such as a rate limit.
   */
  status: 'sent' | 'failed' | 'expired' | 'cancelled' | 'dropped'
  /** The topic or condition; empty for tokens, which are never recorded. */
  recipient: string
  /** The id of the device; empty for a raw token, topic or condition. */
  deviceId: string
  platform: string
  user: string
  /** The provider's id of the message; empty unless it was sent. */
  messageId: string
  /** The provider's code, or the rule that ended the target; empty if it was sent. */
  errorCode: string
  errorMessage: string
}

/** Records the final events of targets. */
export interface EventRecorder {
  /**
   * Records events that happen now, before it returns. Events without room are dropped and counted. Never rejects.
   * Resolves when the events survive the end of this process, or after a second of a disk that does not answer.
   */
  recordEvents(source: EventSource, events: Iterable<TargetEvent>): Promise<void>
}

/** An attempt that did not end its target: the target is tried again. */
export interface TargetAttempt {
  /** The id of the device; empty for a raw token, topic or condition. */
  deviceId: string
  platform: string
  user: string
  /** The topic or condition; empty for tokens, which are never recorded. */
  recipient: string
  /** The number of the attempt, from 1. */
  attempt: number
  /** The provider's code, or the rule that postponed the target, such as `credential_paused`. */
  errorCode: string
  errorMessage: string
  /** From the hand-over of the batch to its provider until the answer, in ms; 0 if it was not handed over. */
  latencyMs: number
}

/** Records attempts that did not end their targets. */
export interface AttemptRecorder {
  /** Records attempts that end now, as `recordEvents` does events. */
  recordAttempts(source: EventSource, attempts: Iterable<TargetAttempt>): Promise<void>
}

/**
 * A row that was recorded: the final event of a target, an attempt that did not end it, or an app's report. Values that
 * a row does not have are empty or 0.
 */
export interface RecordedEvent {
  /** Unix time in ms; rows of ClickHouse have whole seconds. */
  timeMs: number
  /** The `analytics_uid` of the send. If a send has none, it is the send's `uid`. */
  uid: string
  /** A status of TargetEvent or StatusReport, or `retry` for an attempt. */
  status: string
  provider: string
  recipientType: string
  recipient: string
  deviceId: string
  platform: string
  user: string
  messageId: string
  errorCode: string
  errorMessage: string
  /** The number of the attempt, from 1; 0 if the row is not an attempt. */
  attempt: number
  latencyMs: number
}

/** Selects recorded rows. An empty field matches all rows; of `deviceIds` a row matches any. */
export interface EventQuery {
  uid: string
  deviceIds: readonly string[]
  user: string
  /** Whether attempts that did not end their target are listed too. */
  includesAttempts: boolean
  /** `nextCursor` of the previous page; empty for the first one. */
  cursor: string
  /** The most rows of the page. */
  limit: number
}

/** A page of recorded rows, the newest first. */
export interface EventPage {
  events: RecordedEvent[]
  /** The cursor of the next page; undefined if there is none. */
  nextCursor: string | undefined
}

/** Reads recorded rows. They appear some seconds after they were recorded. */
export interface EventReader {
  /** @throws CursorError, or errors of the store */
  listEvents(query: EventQuery): Promise<EventPage>
}

/** The cursor of a query is not one that a page had. */
export class CursorError extends Error {
  override readonly name = 'CursorError'
}

/** A time range, divided into steps. */
export interface VolumeQuery {
  /** Unix time in ms, part of the range. */
  fromMs: number
  /** Unix time in ms, not part of the range. */
  toMs: number
  /** The length of a step in ms, a whole number of minutes. */
  stepMs: number
}

/** The number of events and reports of one kind in one step. */
export interface VolumeCount {
  /** Unix time in ms at which the step begins. */
  timeMs: number
  /** Empty for reports of apps. */
  provider: string
  platform: string
  /** A status of TargetEvent or StatusReport. */
  status: string
  errorCode: string
  count: number
}

/** Reads how many events and reports there were. They appear some seconds after they were recorded. */
export interface VolumeReader {
  /** Counts events and reports, in the order of their time. Rejects with errors of the store. */
  readVolume(query: VolumeQuery): Promise<VolumeCount[]>
}
