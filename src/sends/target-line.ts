// The stored form of targets: one line each, fields separated by tabs. A line costs a third less to read than JSON, and
// PostgreSQL writes it itself (target-line-sql.ts). No field contains a tab or a line feed: both are refused when a
// device is registered or a send is accepted.
//
//   device uuid TAB value TAB user TAB platform            then, for Web Push only, TAB keys
//
// Lines of a send that uses more fields of its devices continue after the keys, which are empty for other providers.
// Fields that the send does not use are empty:
//
//   … TAB keys TAB locale TAB timezone TAB meta

/** The fields of a target line. A native target is not a stored device and has only `value` and `keys`. */
export interface Target {
  /** The uuid in the device's id. */
  deviceId: string
  /** The token, topic or condition. */
  value: string
  user: string
  platform: string
  /** The encryption keys of a Web Push subscription: `{"p256dh":"…","auth":"…"}`. Its endpoint is `value`. */
  keys: string
  locale: string
  timezone: string
  /** A JSON object of strings. */
  meta: string
}

/** Device fields that a line has only if its send uses them. */
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

/** The lines of native values. A value of Web Push is the result of joinSubscription(). */
export function encodeNativeTargets(values: readonly string[]): Buffer {
  return Buffer.from(values.map(encodeNativeTarget).join('\n'))
}

/** A Web Push subscription as one value. Neither part contains a tab. */
export function joinSubscription(endpoint: string, keys: string): string {
  return `${endpoint}\t${keys}`
}

function encodeNativeTarget(value: string): string {
  const end = value.indexOf('\t')
  return end < 0 ? `\t${value}\t\t` : `\t${value.slice(0, end)}\t\t${value.slice(end)}`
}

/** Reads all fields of a line. */
export function decodeTarget(line: string): Target {
  const [deviceId = '', value = '', user = '', platform = '', keys = '', locale = '', timezone = '', meta = ''] =
    line.split('\t')
  return { deviceId, value, user, platform, keys, locale, timezone, meta }
}

/** Reads one field of a line, which is cheaper than decoding all of them. */
export function readField(line: string, name: keyof Target): string {
  let from = 0
  for (let before = FIELDS.indexOf(name); before > 0; before--) {
    from = line.indexOf('\t', from) + 1
    if (from === 0) return ''
  }
  const end = line.indexOf('\t', from)
  return end < 0 ? line.slice(from) : line.slice(from, end)
}

/** Reads the field `value` of a line, the only one that most notifications need. */
export function readValue(line: string): string {
  const from = line.indexOf('\t') + 1
  return line.slice(from, line.indexOf('\t', from))
}
