import { hash } from 'node:crypto'

/** The namespace of the UUIDs below (RFC 9562 section 5.5): sixteen bytes that no other program uses. */
const NAMESPACE = 'centripush\0apns\0'
/** The values of the UUID's digit that contains the variant: its upper two bits are 10. */
const VARIANT_DIGITS = '89ab'

/** The `apns-id` of a push to a device, a UUID of version 5. It is the same at every attempt and in every worker. */
export function makeNotificationId(uid: string, token: string): string {
  const hex = hash('sha1', `${NAMESPACE}${uid}\0${token}`, 'hex')
  const variant = VARIANT_DIGITS.charAt(Number.parseInt(hex.charAt(16), 16) & 3)
  const upper = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}`
  return `${upper}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/**
 * The `apns-collapse-id` of a send, 43 of the allowed 64 bytes. With it the device shows one push, even if several
 * attempts reached it.
 */
export function makeCollapseId(uid: string): string {
  return hash('sha256', uid, 'base64url')
}
