// The key of a rate limit: text with the variables device.id and device.user.
//
// The reference writes a variable bare (device.user), templates write it {{.device.user}}; both are understood,
// anywhere in the key. Taken as text, a bare one would put everybody under one limit, which nobody means.
import { ApiError } from '../protocol/errors.ts'
import type { KeyTemplate } from '../sends/rate-limit.ts'

/** A device, as far as a key can tell it from others. */
export interface KeyDevice {
  id: string
  /** Empty: nobody's. */
  user: string
}

const DEFAULT_KEY: KeyTemplate = [{ variable: 'id' }]
const MAX_KEY_BYTES = 256
/** With users of 256 bytes a rendered key stays below what the stores take. */
const MAX_VARIABLES = 4
const VARIABLE = /\{\{\s*\.?device\.(id|user)\s*\}\}|(?<!\w)\.?device\.(id|user)(?!\w)/g

/** Compiles a key; an empty one is the device's id. @throws ApiError badRequest naming `field` */
export function parseKeyTemplate(field: string, key: string): KeyTemplate {
  if (key === '') return DEFAULT_KEY
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw refuse(field, `longer than ${MAX_KEY_BYTES} bytes`)
  if (/\p{Cc}/u.test(key) || !key.isWellFormed()) throw refuse(field, 'holds a character that no key can have')
  const parts: KeyTemplate[number][] = []
  let from = 0
  for (const match of key.matchAll(VARIABLE)) {
    if (match.index > from) parts.push(key.slice(from, match.index))
    parts.push({ variable: (match[1] ?? match[2]) === 'user' ? 'user' : 'id' })
    from = match.index + match[0].length
  }
  if (from < key.length) parts.push(key.slice(from))
  if (parts.some((part) => typeof part === 'string' && /\{\{|\}\}/.test(part))) {
    throw refuse(field, 'knows the variables device.id and device.user only')
  }
  if (parts.filter((part) => typeof part !== 'string').length > MAX_VARIABLES) {
    throw refuse(field, `more than ${MAX_VARIABLES} variables`)
  }
  return parts
}

/**
 * The key for a device. Where a device has no user its id stands in for it: devices of nobody have nothing in common,
 * and would otherwise use up one limit together.
 */
export function renderKey(template: KeyTemplate, device: KeyDevice): string {
  const user = device.user === '' ? device.id : device.user
  let key = ''
  for (const part of template) key += typeof part === 'string' ? part : part.variable === 'id' ? device.id : user
  return key
}

/** Whether no two devices can have a key in common: those that name the device's id, all of which are equally long. */
export function isPerDevice(template: KeyTemplate): boolean {
  return template.some((part) => typeof part !== 'string' && part.variable === 'id')
}

function refuse(field: string, why: string): ApiError {
  return new ApiError('badRequest', `${field}: ${why}`)
}
