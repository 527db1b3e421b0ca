// The payload of APNs, from
// https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification.
import { findRange, type JsonRange, membersIn, rangeOf } from '../json-range.ts'

/** The payload limit of all push types except `voip`: "4 KB (4096 bytes)". */
const MAX_BYTES = 4096
/** The payload limit of the push type `voip`: "5 KB (5120 bytes)". */
const MAX_VOIP_BYTES = 5120

/** The most bytes of a payload. A push type that is not known yet is given as undefined, and has the higher limit. */
export function maxPayloadBytes(pushType: string | undefined): number {
  return pushType === undefined || pushType === 'voip' ? MAX_VOIP_BYTES : MAX_BYTES
}

/** The names of numbers of Apple that apps write otherwise. A payload without them is not read. */
const NAMES = ['content-available', 'mutable-content', 'critical', 'badge']

/** Other spellings of numbers that mean on and off. iOS ignores them. */
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
  const aps = findRange(rangeOf(payload), 'aps')
  const parts: Buffer[] = []
  let copied = 0
  for (const [{ start, end }, number] of aps ? findNumbers(aps) : []) {
    if (number === undefined) continue
    parts.push(payload.subarray(copied, start), Buffer.from(number))
    copied = end
  }
  return copied === 0 ? payload : Buffer.concat([...parts, payload.subarray(copied)])
}

/** The values of Apple's numbers in their order, each with the number as it must be written, if that is known. */
function* findNumbers(aps: JsonRange): Generator<[value: JsonRange, number: string | undefined], void> {
  for (const [name, value] of membersIn(aps)) {
    if (name === 'content-available' || name === 'mutable-content') yield [value, ON_AND_OFF.get(textOf(value))]
    else if (name === 'badge') yield [value, NUMBER_AS_TEXT.exec(textOf(value))?.[1]]
    else if (name === 'sound') {
      for (const [key, inner] of membersIn(value)) if (key === 'critical') yield [inner, ON_AND_OFF.get(textOf(inner))]
    }
  }
}

/** The JSON of a value. */
function textOf({ source, start, end }: JsonRange): string {
  return source.toString('latin1', start, end)
}
