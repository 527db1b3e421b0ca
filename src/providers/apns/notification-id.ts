import { hash } from 'node:crypto'

/** Namespace of our ids (RFC 9562 section 5.5): sixteen bytes that nobody else uses. */
const NAMESPACE = 'centripush\0apns\0'
/** The variant's two bits are 10: the upper ones of this digit. */
const VARIANT_DIGITS = '89ab'

/** A UUID (version 5) for a send to a device: the same at every attempt, by every worker. */
export function makeNotificationId(uid: string, token: string): string {
  const hex = hash('sha1', `${NAMESPACE}${uid}\0${token}`, 'hex')
  const variant = VARIANT_DIGITS.charAt(Number.parseInt(hex.charAt(16), 16) & 3)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** An `apns-collapse-id` for a send, of 43 bytes where 64 are allowed: the phone shows one of all its attempts. */
export function makeCollapseId(uid: string): string {
  return hash('sha256', uid, 'base64url')
}
