// The payload of APNs, from
// https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification.
import { type JsonMember, readMembers } from '../../json/object-members.ts'

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
  let from = payload.indexOf('{')
  let found: JsonMember | undefined
  for (const name of path) {
    found = payload[from] === OPEN_BRACE ? memberOf(payload, from, name) : undefined
    if (!found) return payload
    from = found.valueStart
  }
  const written = found && payload.toString('latin1', found.valueStart, found.valueEnd)
  if (!found || (written !== 'true' && written !== 'false')) return payload
  const number = Buffer.from(written === 'true' ? '1' : '0')
  return Buffer.concat([payload.subarray(0, found.valueStart), number, payload.subarray(found.valueEnd)])
}

const OPEN_BRACE = 0x7b

/** The member of an object with this name; the last one of several, which counts. */
function memberOf(payload: Buffer, from: number, name: string): JsonMember | undefined {
  let found: JsonMember | undefined
  for (const member of readMembers(payload, from)) if (member.name === name) found = member
  return found
}
