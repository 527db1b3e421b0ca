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
  /** Resolves when the report is stored. */
  recordStatus(report: StatusReport): Promise<void>
}
