import type { EventSource } from '../analytics.ts'
import { RowBuffer } from './row-buffer.ts'

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

/**
 * Encodes the columns that all rows of a batch share, once for all of them: they are half of the bytes of a row.
 * @param seconds Unix time in seconds
 */
export function encodeShared({ uid, provider, recipientType }: EventSource, seconds: number): Uint8Array {
  const buffer = new RowBuffer(256)
  buffer.appendString(uid)
  buffer.appendString(provider)
  buffer.appendString(recipientType)
  buffer.appendDateTime(seconds)
  return buffer.take()
}

/** Encodes a row. The order of the columns is that of makeInsert(). @param shared the result of encodeShared() */
export function appendRow(buffer: RowBuffer, shared: Uint8Array, row: NotificationRow): void {
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
