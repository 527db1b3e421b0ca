// Checks of request fields. Each returns the value, or throws an ApiError badRequest that names the field and never
// contains its value.
import { isProviderName, type ProviderName } from '../config/provider-names.ts'
import { ApiError } from '../protocol/errors.ts'
import { isPlatformName, PLATFORM_NAMES, type PlatformName } from './codes.ts'
import { type DeviceId, parseDeviceId } from './device-id.ts'

/** FCM, APNs and HMS tokens have some hundred bytes, Web Push endpoints up to a few thousand. */
export const MAX_TOKEN_BYTES = 4096
/** The limit for the meta of a device. */
export const MAX_META_BYTES = 4096
const MAX_USER_BYTES = 256
const MAX_TOPIC_BYTES = 256
/** Longer than any real zone or language tag. Bounds the work of the checks below. */
const MAX_NAME_BYTES = 128
/** Values in one list of a request: more than a client needs, and few enough for one statement. */
const MAX_LIST_VALUES = 100_000

/** Valid zones, because a check by Intl takes 0.1 ms. */
const knownZones = new Set<string>()
/** There are about 600 names, but Intl accepts each in any mix of upper and lower case. */
const MAX_KNOWN_ZONES = 2000

/**
 * A text of at most `maxBytes` without control characters. Real values have none, PostgreSQL refuses NUL, and target
 * lines are separated by tabs and line feeds.
 */
export function checkText(field: string, value: string, maxBytes: number): string {
  if (Buffer.byteLength(value) > maxBytes) throw new ApiError('badRequest', `${field}: longer than ${maxBytes} bytes`)
  if (/\p{Cc}/u.test(value)) throw new ApiError('badRequest', `${field}: contains a control character`)
  return value
}

function checkFilled(field: string, value: string, maxBytes: number): string {
  if (value === '') throw new ApiError('badRequest', `${field}: must not be empty`)
  return checkText(field, value, maxBytes)
}

/** The name of a provider. */
export function parseProvider(field: string, value: string): ProviderName {
  if (!isProviderName(value)) throw new ApiError('badRequest', `${field}: not a provider`)
  return value
}

/** The name of a platform. */
export function parsePlatform(field: string, value: string): PlatformName {
  if (!isPlatformName(value)) throw new ApiError('badRequest', `${field}: not one of ${PLATFORM_NAMES.join(', ')}`)
  return value
}

/** The id of a device. */
export function parseId(field: string, value: string): DeviceId {
  const id = parseDeviceId(value)
  if (!id) throw new ApiError('badRequest', `${field}: not a device id`)
  return id
}

/** A token, not empty. */
export function checkToken(field: string, value: string): string {
  return checkFilled(field, value, MAX_TOKEN_BYTES)
}

/** A user. Empty is no user for a device, and everyone for a list of topics. */
export function checkUser(field: string, value: string): string {
  return checkText(field, value, MAX_USER_BYTES)
}

/** The name of a topic, not empty. */
export function checkTopic(field: string, value: string): string {
  return checkFilled(field, value, MAX_TOPIC_BYTES)
}

/** The beginning of a topic's name; empty for all topics. */
export function checkTopicPrefix(field: string, value: string): string {
  return checkText(field, value, MAX_TOPIC_BYTES)
}

/** An IANA time zone, or empty. */
export function checkTimezone(field: string, value: string): string {
  checkText(field, value, MAX_NAME_BYTES)
  if (value === '' || knownZones.has(value)) return value
  if (!isTimezone(value)) throw new ApiError('badRequest', `${field}: not an IANA time zone`)
  if (knownZones.size < MAX_KNOWN_ZONES) knownZones.add(value)
  return value
}

function isTimezone(value: string): boolean {
  // Newer versions of Intl also accept offsets such as "+01:00", which are not IANA zones.
  return /^[A-Za-z]/.test(value) && accepts(() => new Intl.DateTimeFormat('en', { timeZone: value }))
}

/** A BCP 47 language tag, or empty. */
export function checkLocale(field: string, value: string): string {
  checkText(field, value, MAX_NAME_BYTES)
  if (value === '' || accepts(() => Intl.getCanonicalLocales(value))) return value
  throw new ApiError('badRequest', `${field}: not a BCP 47 language tag`)
}

function accepts(make: () => unknown): boolean {
  try {
    make()
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/** Texts by name, at most MAX_META_BYTES as JSON. */
export function checkMeta(field: string, meta: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  for (const text of [...meta.keys(), ...meta.values()]) checkText(field, text, MAX_META_BYTES)
  const bytes = Buffer.byteLength(JSON.stringify(Object.fromEntries(meta)))
  if (bytes > MAX_META_BYTES) throw new ApiError('badRequest', `${field}: longer than ${MAX_META_BYTES} bytes as JSON`)
  return meta
}

/** The values without duplicates, in their order, each checked by `check`. */
export function checkList<T>(
  field: string,
  values: readonly string[],
  check: (field: string, value: string) => T,
): readonly T[] {
  if (values.length > MAX_LIST_VALUES) throw new ApiError('badRequest', `${field}: more than ${MAX_LIST_VALUES} values`)
  return [...new Set(values)].map((value) => check(field, value))
}
