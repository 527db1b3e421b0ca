// The request headers of APNs, from
// https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns.
import { PUSH_TYPES } from './push-type.ts'

/** Why APNs refuses a header. */
export interface ApnsHeaderProblem {
  /** The reason in APNs' answer, also that of a rejected push. */
  reason: 'BadCollapseId' | 'BadExpirationDate' | 'BadMessageId' | 'BadPriority' | 'InvalidPushType'
  why: string
}

interface Rule extends ApnsHeaderProblem {
  isValid(value: string): boolean
}

/**
 * The names of headers that the caller may set. Others hold the credential, or belong to HTTP/2 (RFC 9113 section
 * 8.2.2).
 */
const ALLOWED_NAME = /^(?:apns-[a-z-]+|content-type)$/i

/** "The value of this header must not exceed 64 bytes." */
const MAX_COLLAPSE_ID_BYTES = 64

/** "The canonical form is 32 lowercase hexadecimal digits, displayed in five groups separated by hyphens." */
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The rules of values, by the names of headers. */
const RULES: Readonly<Record<string, Rule>> = {
  'apns-id': { reason: 'BadMessageId', why: 'must be a UUID', isValid: (value) => UUID.test(value) },
  'apns-expiration': {
    reason: 'BadExpirationDate',
    why: 'must be a Unix time in seconds, or 0',
    isValid: (value) => /^\d{1,12}$/.test(value),
  },
  'apns-priority': {
    reason: 'BadPriority',
    why: 'must be 10, 5 or 1',
    isValid: (value) => /^(?:10|5|1)$/.test(value),
  },
  'apns-collapse-id': {
    reason: 'BadCollapseId',
    why: `is longer than ${MAX_COLLAPSE_ID_BYTES} bytes`,
    isValid: (value) => Buffer.byteLength(value) <= MAX_COLLAPSE_ID_BYTES,
  },
  'apns-push-type': {
    reason: 'InvalidPushType',
    why: `must be one of ${PUSH_TYPES.join(', ')}`,
    isValid: (value) => PUSH_TYPES.includes(value),
  },
}

const NAMES = Object.keys(RULES)

/** Whether a caller may set a header with this name. */
export function isAllowedApnsHeader(name: string): boolean {
  return ALLOWED_NAME.test(name)
}

/**
 * The caller's headers by name in lower case, as in HTTP/2. Headers with an empty value are left out, and `apns-id` is
 * written in its canonical form.
 */
export function readApnsHeaders(headers: ReadonlyMap<string, string>): Map<string, string> {
  const read = new Map<string, string>()
  for (const [name, given] of headers) {
    const [key, value] = [name.toLowerCase(), given.trim()]
    if (value !== '') read.set(key, key === 'apns-id' ? value.toLowerCase() : value)
  }
  return read
}

/** Why APNs refuses the value of a header; undefined if it accepts it. @param name in lower case */
export function findApnsHeaderProblem(name: string, value: string): ApnsHeaderProblem | undefined {
  const rule = RULES[name]
  return rule === undefined || rule.isValid(value) ? undefined : rule
}

/** The first header that APNs refuses, with its name; undefined if it accepts all. @param headers by lower-case name */
export function findApnsHeadersProblem(
  headers: ReadonlyMap<string, string>,
): (ApnsHeaderProblem & { name: string }) | undefined {
  for (const name of NAMES) {
    const value = headers.get(name)
    const problem = value === undefined ? undefined : findApnsHeaderProblem(name, value)
    if (problem) return { ...problem, name }
  }
  return undefined
}

/**
 * Whether a priority is an error for the push type: "Always use priority 5. Using priority 10 is an error" for
 * `background`. Without the header, APNs takes 10.
 */
export function isPriorityWrong(pushType: string, priority: string | undefined): boolean {
  return pushType === 'background' && (priority ?? '10') === '10'
}
