// How targets are written in the queue: a line each, fields parted by tabs. Lines cost a third less than JSON to read,
// and the store of the devices writes them itself. No field can hold a tab or a line feed: both are refused when a
// device or a send is accepted.
//
//   device's uuid TAB value TAB user TAB platform            and for Web Push alone TAB keys
//
// A send that uses more of its devices has it behind keys, which are empty then for other providers. What it doesn't
// use is empty:
//
//   … TAB keys TAB locale TAB timezone TAB meta

/** One target. For a native one, which is no device of ours, all but `value` is empty. */
export interface QueuedTarget {
  /** The uuid that the API's id of the device stands for. */
  deviceId: string
  /** The token, topic or condition. */
  value: string
  user: string
  platform: string
  /** What encrypts for a Web Push subscription, whose endpoint `value` is: `{"p256dh":"…","auth":"…"}`. */
  keys: string
  locale: string
  timezone: string
  /** A JSON object of texts. */
  meta: string
}

/** The lines of values that are a provider's own; those of Web Push are as joinSubscription() makes them. */
export function encodeNativeTargets(values: readonly string[]): Buffer {
  return Buffer.from(values.map(encodeNativeTarget).join('\n'))
}

/** A Web Push subscription as one value. Neither part can hold a tab. */
export function joinSubscription(endpoint: string, keys: string): string {
  return `${endpoint}\t${keys}`
}

function encodeNativeTarget(value: string): string {
  const end = value.indexOf('\t')
  return end < 0 ? `\t${value}\t\t` : `\t${value.slice(0, end)}\t\t${value.slice(end)}`
}

export function decodeTarget(line: string): QueuedTarget {
  const [deviceId = '', value = '', user = '', platform = '', keys = '', locale = '', timezone = '', meta = ''] =
    line.split('\t')
  return { deviceId, value, user, platform, keys, locale, timezone, meta }
}

const FIELDS = [
  'deviceId',
  'value',
  'user',
  'platform',
  'keys',
  'locale',
  'timezone',
  'meta',
] as const satisfies (keyof QueuedTarget)[]

/** One field of a line, for who needs few of them. */
export function readField(line: string, name: keyof QueuedTarget): string {
  let from = 0
  for (let before = FIELDS.indexOf(name); before > 0; before--) {
    from = line.indexOf('\t', from) + 1
    if (from === 0) return ''
  }
  const end = line.indexOf('\t', from)
  return end < 0 ? line.slice(from) : line.slice(from, end)
}

/** The value alone, which is all that most batches need of most lines. */
export function readValue(line: string): string {
  const from = line.indexOf('\t') + 1
  return line.slice(from, line.indexOf('\t', from))
}

const LINE_FEED = 0x0a
/** Of a uuid as text. */
const DEVICE_ID_LENGTH = 36
const SEPARATOR = Buffer.of(LINE_FEED)
/** V8 keeps texts of more than 128 KB apart, each in new memory that the kernel has to clear first. */
const PIECE_BYTES = 64 * 1024

/** The lines of a batch. */
export function decodeLines(bytes: Buffer): string[] {
  if (bytes.length <= PIECE_BYTES) return bytes.toString().split('\n')
  const lines: string[] = []
  for (let from = 0; from <= bytes.length; ) {
    const end = bytes.length - from <= PIECE_BYTES ? bytes.length : findPieceEnd(bytes, from)
    for (const line of bytes.toString('utf8', from, end).split('\n')) lines.push(line)
    from = end + 1
  }
  return lines
}

/** After as many whole lines as a piece may have, or one that is longer. */
function findPieceEnd(bytes: Buffer, from: number): number {
  const last = bytes.lastIndexOf(LINE_FEED, from + PIECE_BYTES)
  if (last >= from) return last
  const first = bytes.indexOf(LINE_FEED, from)
  return first < 0 ? bytes.length : first
}

/** The device of the last line. */
export function lastDevice(lines: Buffer): string {
  const start = lines.lastIndexOf(LINE_FEED) + 1
  return lines.toString('ascii', start, start + DEVICE_ID_LENGTH)
}

/** The lines of devices up to one of them, or to where it was. Lines are in the order of their devices. */
export function cutLines(lines: Buffer, count: number, until: string): { lines: Buffer; count: number } {
  let cut = { lines, count }
  while (cut.count > 0 && lastDevice(cut.lines) > until) {
    cut = { lines: cut.lines.subarray(0, Math.max(0, cut.lines.lastIndexOf(LINE_FEED))), count: cut.count - 1 }
  }
  return cut
}

/** The lines of several parts, in their order. */
export function joinLines(parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts.flatMap((lines, index) => (index === 0 ? [lines] : [SEPARATOR, lines])))
}

/** Splits lines into parts of at most `size`, with how many each has. */
export function splitLines(lines: Buffer, count: number, size: number): { lines: Buffer; count: number }[] {
  if (count <= size) return count === 0 ? [] : [{ lines, count }]
  const parts: { lines: Buffer; count: number }[] = []
  let from = 0
  for (let left = count; left > 0; left -= size) {
    const end = left <= size ? lines.length : findLineEnd(lines, from, size)
    parts.push({ lines: lines.subarray(from, end), count: Math.min(left, size) })
    from = end + 1
  }
  return parts
}

/** Where the `count`th line from `from` ends. */
function findLineEnd(lines: Buffer, from: number, count: number): number {
  let end = from - 1
  for (let line = 0; line < count; line++) end = lines.indexOf(LINE_FEED, end + 1)
  return end
}
