import type { TargetAttempt } from '../analytics.ts'
import type { RowBuffer } from './row-buffer.ts'

/** Encodes a row of ATTEMPTS in its insert order. @param shared the result of encodeShared() */
export function appendAttempt(buffer: RowBuffer, shared: Uint8Array, row: TargetAttempt): void {
  buffer.appendBytes(shared)
  buffer.appendString(row.recipient)
  buffer.appendString(row.deviceId)
  buffer.appendString(row.platform)
  buffer.appendString(row.user)
  buffer.appendUInt16(row.attempt)
  buffer.appendString(row.errorCode)
  buffer.appendString(row.errorMessage)
  buffer.appendUInt32(Math.round(row.latencyMs))
}
