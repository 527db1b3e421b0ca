import { createHash } from 'node:crypto'

/** Namespace of our ids (RFC 9562 section 6.6): any UUID that nobody else uses. */
const NAMESPACE = Buffer.from('6f1d2a3c9b6e4f0e8a515c2d7e90b4a1', 'hex')
const VERSION_5 = 0x50
const VARIANT = 0x80

/** A UUID (version 5) for a send to a device: the same at every attempt, by every worker. */
export function makeNotificationId(uid: string, token: string): string {
  const bytes = createHash('sha1').update(NAMESPACE).update(uid).update('\0').update(token).digest()
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | VERSION_5
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | VARIANT
  const hex = bytes.toString('hex', 0, 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** An `apns-collapse-id` for a send, of 43 bytes where 64 are allowed: the phone shows one of all its attempts. */
export function makeCollapseId(uid: string): string {
  return createHash('sha256').update(uid).digest('base64url')
}
