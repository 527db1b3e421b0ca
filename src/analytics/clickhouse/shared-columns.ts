import type { EventSource } from '../analytics.ts'
import { RowBuffer } from './row-buffer.ts'

/** The facts that the rows of a batch have in common. */
export type SharedFacts = Pick<EventSource, 'uid' | 'provider' | 'recipientType'>

/**
 * Encodes the columns that all rows of a batch share, once for all of them: they are half of the bytes of a row.
 * @param seconds Unix time in seconds
 */
export function encodeShared({ uid, provider, recipientType }: SharedFacts, seconds: number): Uint8Array {
  const buffer = new RowBuffer(256)
  buffer.appendString(uid)
  buffer.appendString(provider)
  buffer.appendString(recipientType)
  buffer.appendDateTime(seconds)
  return buffer.take()
}
