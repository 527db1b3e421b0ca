// The door of this room: what others can tell about notifications.

/** What an app reports of a notification that reached a device. */
export interface StatusReport {
  /** The `analytics_uid` of the send, which is its `uid` unless it was given. */
  uid: string
  status: 'delivered' | 'interacted'
  deviceId: string
  /** The provider's id of the message, empty where the app doesn't know it. */
  messageId: string
}

export interface Analytics {
  /** Stores a report; resolves when it is kept. */
  recordStatus(report: StatusReport): Promise<void>
}
