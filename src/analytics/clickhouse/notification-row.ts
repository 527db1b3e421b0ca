import type { RowBuffer } from './row-buffer.ts'

/** The columns of a row after those that all rows of a batch share. */
export interface NotificationRow {
  recipient: string
  deviceId: string
  platform: string
  user: string
  messageId: string
  status: string
  errorCode: string
  errorMessage: string
}

/** Encodes a row of NOTIFICATIONS in its insert order. @param shared the result of encodeShared() */
export function appendNotification(buffer: RowBuffer, shared: Uint8Array, row: NotificationRow): void {
  buffer.appendBytes(shared)
  buffer.appendString(row.recipient)
  buffer.appendString(row.deviceId)
  buffer.appendString(row.platform)
  buffer.appendString(row.user)
  buffer.appendString(row.messageId)
  buffer.appendString(row.status)
  buffer.appendString(row.errorCode)
  buffer.appendString(row.errorMessage)
}
