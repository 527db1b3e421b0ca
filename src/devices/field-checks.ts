// Checks of request fields. Each function returns the checked value, or throws an ApiError badRequest that names the
// field and never contains the value.
import { isProviderName, type ProviderName } from '../config/provider-names.ts'
import { ApiError } from '../protocol/errors.ts'
import { canonicalizeDeviceToken } from '../rules/apns/device-token.ts'
import { canonicalizeLocale } from '../sends/locale.ts'
import { canonicalizeTimezone } from '../sends/timezone.ts'
import { isPlatformName, PLATFORM_NAMES, type PlatformName } from './codes.ts'
import { type DeviceId, parseDeviceId } from './device-id.ts'

/** The longest token. Tokens of FCM, APNs and HMS have some hundred bytes, Web Push endpoints up to a few thousand. */
export const MAX_TOKEN_BYTES = 4096
/** The most bytes of a device's meta, as JSON. */
export const MAX_META_BYTES = 4096
const MAX_USER_BYTES = 256
const MAX_TOPIC_BYTES = 256
/**
 * The longest time zone or language tag. No real one is longer, and the limit bounds the work of the checks by Intl.
 */
const MAX_NAME_BYTES = 128
/** The most values in one list of a request: more than a client needs, and few enough for one SQL statement. */
const MAX_LIST_VALUES = 100_000

/**
 * Checks a text: at most `maxBytes` and no control characters. Real values have none, PostgreSQL refuses NUL, and in
 * target lines tabs and line feeds are separators.
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

/** Parses the name of a provider. */
export function parseProvider(field: string, value: string): ProviderName {
  if (!isProviderName(value)) throw new ApiError('badRequest', `${field}: not a provider`)
  return value
}

/** Parses the name of a platform. */
export function parsePlatform(field: string, value: string): PlatformName {
  if (!isPlatformName(value)) throw new ApiError('badRequest', `${field}: not one of ${PLATFORM_NAMES.join(', ')}`)
  return value
}

/** Parses the id of a device. */
export function parseId(field: string, value: string): DeviceId {
  const id = parseDeviceId(value)
  if (!id) throw new ApiError('badRequest', `${field}: not a device id`)
  return id
}

/** Reads a token, which must not be empty, as its provider spells it: one phone is one device. */
export function parseToken(field: string, provider: ProviderName, value: string): string {
  checkFilled(field, value, MAX_TOKEN_BYTES)
  if (provider !== 'apns') {
    // No provider has such tokens, so the device would never receive a push.
    if (/\s/.test(value)) throw new ApiError('badRequest', `${field}: contains white space`)
    return value
  }
  const token = canonicalizeDeviceToken(value)
  if (token === undefined) throw new ApiError('badRequest', `${field}: not a device token of APNs`)
  return token
}

/**
 * Checks a user. Empty: in a device it means that the device has no user, in a list of users' topics it means everyone.
 */
export function checkUser(field: string, value: string): string {
  return checkText(field, value, MAX_USER_BYTES)
}

/** Checks the name of a topic, which must not be empty. */
export function checkTopic(field: string, value: string): string {
  return checkFilled(field, value, MAX_TOPIC_BYTES)
}

/** Checks the beginning of topic names that a list selects; empty selects all topics. */
export function checkTopicPrefix(field: string, value: string): string {
  return checkText(field, value, MAX_TOPIC_BYTES)
}

/** Reads a time zone to its IANA name; empty is allowed and means no time zone. */
export function parseTimezone(field: string, value: string): string {
  checkText(field, value, MAX_NAME_BYTES)
  if (value === '') return value
  const timezone = canonicalizeTimezone(value)
  if (timezone === undefined) throw new ApiError('badRequest', `${field}: not an IANA time zone`)
  return timezone
}

/** Reads a locale in any usual spelling to its canonical form (BCP 47). Empty is allowed and means no language. */
export function parseLocale(field: string, value: string): string {
  checkText(field, value, MAX_NAME_BYTES)
  if (value === '') return value
  const locale = canonicalizeLocale(value)
  if (locale === undefined) throw new ApiError('badRequest', `${field}: not a BCP 47 language tag`)
  return locale
}

/**
 * Checks the meta of a device: texts by name, together at most MAX_META_BYTES as JSON. They are stored as JSON, so that
 * a line feed is no separator of a target line. PostgreSQL's JSON has no NUL.
 */
export function checkMeta(field: string, meta: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  for (const text of [...meta.keys(), ...meta.values()]) {
    if (text.includes('\0')) throw new ApiError('badRequest', `${field}: contains NUL`)
  }
  const bytes = Buffer.byteLength(JSON.stringify(Object.fromEntries(meta)))
  if (bytes > MAX_META_BYTES) throw new ApiError('badRequest', `${field}: longer than ${MAX_META_BYTES} bytes as JSON`)
  return meta
}

/** Checks each value with `check`. Returns the values without duplicates, in their order. */
export function checkList<T>(
  field: string,
  values: readonly string[],
  check: (field: string, value: string) => T,
): readonly T[] {
  if (values.length > MAX_LIST_VALUES) throw new ApiError('badRequest', `${field}: more than ${MAX_LIST_VALUES} values`)
  return [...new Set(values)].map((value) => check(field, value))
}
