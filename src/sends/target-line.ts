// The stored format of targets: one line each, fields separated by tabs. To read a line costs a third less than JSON,
// and PostgreSQL writes it itself (target-line-sql.ts). No field contains a tab or a line feed: both are refused when a
// device is registered or a send is accepted.
//
//   device uuid TAB value TAB user TAB platform            then, for Web Push only, TAB keys
//
// If the send uses more fields of its devices, its lines continue after the keys, which are empty for other providers
// than Web Push. Fields that the send does not use are empty:
//
//   … TAB keys TAB locale TAB timezone TAB meta

/**
 * The fields of a target line. A raw token, topic or condition is not a stored device, and has only `value` and `keys`.
 */
export interface Target {
  /** The uuid of the device; empty if the target is not a stored device. */
  deviceId: string
  /** The token, topic or condition; for Web Push the endpoint. */
  value: string
  user: string
  platform: string
  /** The encryption keys of a Web Push subscription: `{"p256dh":"…","auth":"…"}`. Its endpoint is `value`. */
  keys: string
  locale: string
  timezone: string
  /** The meta of the device: a JSON object of strings. */
  meta: string
}

/** Fields of a device that a target line contains only if its send uses them. */
export type OptionalField = 'locale' | 'timezone' | 'meta'

const FIELDS = [
  'deviceId',
  'value',
  'user',
  'platform',
  'keys',
  'locale',
  'timezone',
  'meta',
] as const satisfies (keyof Target)[]

/**
 * Makes the target lines, the stored form of targets, of values that the request itself contains: tokens, topics or
 * conditions. With Web Push such a value is a subscription, in the form that joinSubscription() gives it.
 */
export function encodeNativeTargets(values: readonly string[]): Buffer {
  return Buffer.from(values.map(encodeNativeTarget).join('\n'))
}

/**
 * Joins the endpoint and the keys of a Web Push subscription to one value, with a tab between them. Neither contains a
 * tab.
 */
export function joinSubscription(endpoint: string, keys: string): string {
  return `${endpoint}\t${keys}`
}

function encodeNativeTarget(value: string): string {
  const end = value.indexOf('\t')
  return end < 0 ? `\t${value}\t\t` : `\t${value.slice(0, end)}\t\t${value.slice(end)}`
}

/** Reads all fields of a target line. */
export function decodeTarget(line: string): Target {
  const [deviceId = '', value = '', user = '', platform = '', keys = '', locale = '', timezone = '', meta = ''] =
    line.split('\t')
  return { deviceId, value, user, platform, keys, locale, timezone, meta }
}

/** Reads one field of a target line, which is cheaper than decodeTarget(). */
export function readField(line: string, name: keyof Target): string {
  let from = 0
  for (let before = FIELDS.indexOf(name); before > 0; before--) {
    from = line.indexOf('\t', from) + 1
    if (from === 0) return ''
  }
  const end = line.indexOf('\t', from)
  return end < 0 ? line.slice(from) : line.slice(from, end)
}

/** Reads the fields that identify the device of a target line. It costs less than decodeTarget(). */
export function readIdentity(line: string): Pick<Target, 'deviceId' | 'user' | 'platform'> {
  const value = line.indexOf('\t') + 1
  const user = line.indexOf('\t', value) + 1
  const platform = line.indexOf('\t', user) + 1
  const end = line.indexOf('\t', platform)
  return {
    deviceId: line.slice(0, value - 1),
    user: line.slice(user, platform - 1),
    platform: end < 0 ? line.slice(platform) : line.slice(platform, end),
  }
}

/** The number of lines of each platform. That of a raw token, topic or condition is empty. */
export function countPlatforms(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  // Most lines have the platform of the line before: then nothing is cut out.
  let platform = ''
  let count = 0
  for (const line of lines) {
    const from = line.indexOf('\t', line.indexOf('\t', line.indexOf('\t') + 1) + 1) + 1
    const end = from + platform.length
    const isSame = line.startsWith(platform, from) && (end === line.length || line[end] === '\t')
    if (!isSame) {
      if (count > 0) counts.set(platform, count)
      platform = readField(line, 'platform')
      count = counts.get(platform) ?? 0
    }
    count++
  }
  if (count > 0) counts.set(platform, count)
  return counts
}

/** Reads the field `value` of a target line, the only one that most notifications need. */
export function readValue(line: string): string {
  const from = line.indexOf('\t') + 1
  return line.slice(from, line.indexOf('\t', from))
}
