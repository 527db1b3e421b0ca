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

/** The paths of numbers that mean on and off. iOS ignores `true` there. */
const SWITCHES: readonly (readonly string[])[] = [
  ['aps', 'content-available'],
  ['aps', 'mutable-content'],
  ['aps', 'sound', 'critical'],
]

/**
 * A payload in which `true` and `false` are 1 and 0 where Apple defines a number. All other bytes are unchanged.
 * @param payload a valid JSON object
 */
export function writeSwitches(payload: Buffer): Buffer {
  // Nearly all payloads have neither word, so they are not read.
  if (!payload.includes('true') && !payload.includes('false')) return payload
  return SWITCHES.reduce(writeSwitch, payload)
}

function writeSwitch(payload: Buffer, path: readonly string[]): Buffer {
  const found = findRange(rangeOf(payload), ...path)
  const written = found && payload.toString('latin1', found.start, found.end)
  if (!found || (written !== 'true' && written !== 'false')) return payload
  const number = Buffer.from(written === 'true' ? '1' : '0')
  return Buffer.concat([payload.subarray(0, found.start), number, payload.subarray(found.end)])
}
