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
  /** Resolves when the report is stored, or with ClickHouse when it is in the buffer of this process. */
  recordStatus(report: StatusReport): Promise<void>
}

/** The facts that the targets of a batch have in common. */
export interface EventSource {
  /** The `analytics_uid` of the send. If a send has none, it is the send's `uid`. */
  uid: string
  provider: string
  /** The kind of the targets: `token`, `topic` or `condition`. */
  recipientType: string
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
  /** Records events that happen now. It does no I/O and never fails: events without room are dropped and counted. */
  recordEvents(source: EventSource, events: Iterable<TargetEvent>): void
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
  /** From the first byte written to the provider's answer, in ms; 0 if nothing was written. */
  latencyMs: number
}

/** Records attempts that did not end their targets. */
export interface AttemptRecorder {
  /** Records attempts that end now. It does no I/O and never fails: attempts without room are dropped and counted. */
  recordAttempts(source: EventSource, attempts: Iterable<TargetAttempt>): void
}
