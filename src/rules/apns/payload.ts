// The payload of APNs, from
// https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification.
import { findRange, rangeOf } from '../json-range.ts'

/** The payload limit of all push types except `voip`: "4 KB (4096 bytes)". */
const MAX_BYTES = 4096
/** The payload limit of the push type `voip`: "5 KB (5120 bytes)". */
const MAX_VOIP_BYTES = 5120

/** The most bytes of a payload. A push type that is not known yet is given as undefined, and has the higher limit. */
export function maxPayloadBytes(pushType: string | undefined): number {
  return pushType === undefined || pushType === 'voip' ? MAX_VOIP_BYTES : MAX_BYTES
}

/** The paths of numbers that mean on and off. iOS ignores a boolean or a text there. */
const SWITCHES: readonly (readonly string[])[] = [
  ['aps', 'content-available'],
  ['aps', 'mutable-content'],
  ['aps', 'sound', 'critical'],
]
/** The path of the number of a badge. iOS ignores a text there. */
const BADGE = ['aps', 'badge']

/** The names without which a payload has none of these numbers. */
const NAMES = ['content-available', 'mutable-content', 'critical', 'badge']

/** Switches in other spellings. */
const ON_AND_OFF: ReadonlyMap<string, string> = new Map([
  ['true', '1'],
  ['"true"', '1'],
  ['"1"', '1'],
  ['false', '0'],
  ['"false"', '0'],
  ['"0"', '0'],
])
const NUMBER_AS_TEXT = /^"(0|[1-9]\d{0,8})"$/

/**
 * A payload in which booleans and texts are numbers where Apple defines a number: switches such as `content-available`,
 * and the badge. All other bytes are unchanged.
 * @param payload a valid JSON object
 */
export function writeNumbers(payload: Buffer): Buffer {
  if (!NAMES.some((name) => payload.includes(name))) return payload
  const switched = SWITCHES.reduce(
    (written, path) => writeNumber(written, path, (value) => ON_AND_OFF.get(value)),
    payload,
  )
  return writeNumber(switched, BADGE, (value) => NUMBER_AS_TEXT.exec(value)?.[1])
}

function writeNumber(payload: Buffer, path: readonly string[], read: (value: string) => string | undefined): Buffer {
  const found = findRange(rangeOf(payload), ...path)
  const number = found && read(payload.toString('latin1', found.start, found.end))
  if (!found || number === undefined) return payload
  return Buffer.concat([payload.subarray(0, found.start), Buffer.from(number), payload.subarray(found.end)])
}
