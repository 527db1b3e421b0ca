// The key of a rate limit: a text that may contain the variables device.id and device.user.
//
// The reference documentation of Centrifugo PRO writes a variable as device.user, templates as {{.device.user}}. Both
// are read as variables, anywhere in a key: if device.user were plain text, all devices would share one limit, which is
// never intended.
import { ApiError } from '../protocol/errors.ts'
import type { KeyTemplate } from '../sends/rate-limit.ts'

/** The fields of a device that a key may use. */
export interface KeyDevice {
  id: string
  /** The user of the device; empty if it has none. */
  user: string
}

const DEFAULT_KEY: KeyTemplate = [{ variable: 'id' }]
const MAX_KEY_BYTES = 256
/**
 * The most variables in a key: with users of 256 bytes, a rendered key stays below the 2,000 bytes that the stores
 * allow.
 */
const MAX_VARIABLES = 4
const VARIABLE = /\{\{\s*\.?device\.(id|user)\s*\}\}|(?<!\w)\.?device\.(id|user)(?!\w)/g

/**
 * Compiles the key of a request. An empty key means the id of the device.
 * @throws ApiError badRequest that names `field`
 */
export function parseKeyTemplate(field: string, key: string): KeyTemplate {
  if (key === '') return DEFAULT_KEY
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw refuse(field, `longer than ${MAX_KEY_BYTES} bytes`)
  if (/\p{Cc}/u.test(key) || !key.isWellFormed()) throw refuse(field, 'contains a control character or bad Unicode')
  const parts: KeyTemplate[number][] = []
  let from = 0
  for (const match of key.matchAll(VARIABLE)) {
    if (match.index > from) parts.push(key.slice(from, match.index))
    parts.push({ variable: (match[1] ?? match[2]) === 'user' ? 'user' : 'id' })
    from = match.index + match[0].length
  }
  if (from < key.length) parts.push(key.slice(from))
  if (parts.some((part) => typeof part === 'string' && /\{\{|\}\}/.test(part))) {
    throw refuse(field, 'the only variables are device.id and device.user')
  }
  if (parts.filter((part) => typeof part !== 'string').length > MAX_VARIABLES) {
    throw refuse(field, `more than ${MAX_VARIABLES} variables`)
  }
  return parts
}

/**
 * Renders the key for a device. For a device without a user, the device's id is used as the user: these devices are
 * unrelated, and must not share one limit.
 */
export function renderKey(template: KeyTemplate, device: KeyDevice): string {
  const user = device.user === '' ? device.id : device.user
  let key = ''
  for (const part of template) key += typeof part === 'string' ? part : part.variable === 'id' ? device.id : user
  return key
}

/** Whether each device has its own key, because the key contains the id of the device. All ids have the same length. */
export function isPerDevice(template: KeyTemplate): boolean {
  return template.some((part) => typeof part !== 'string' && part.variable === 'id')
}

function refuse(field: string, why: string): ApiError {
  return new ApiError('badRequest', `${field}: ${why}`)
}
