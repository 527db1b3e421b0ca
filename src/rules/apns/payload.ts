// The payload of APNs, from
// https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification.
import { type JsonValue, kindOf, literalOf, memberOf, rootOf } from '../json-value.ts'

/** The payload limit of all push types except `voip`: "4 KB (4096 bytes)". */
const MAX_BYTES = 4096
/** The payload limit of the push type `voip`: "5 KB (5120 bytes)". */
const MAX_VOIP_BYTES = 5120

/** The most bytes of a payload. A push type that is not known yet is given as undefined, and has the higher limit. */
export function maxPayloadBytes(pushType: string | undefined): number {
  return pushType === undefined || pushType === 'voip' ? MAX_VOIP_BYTES : MAX_BYTES
}

/** The members of `aps` that are numbers: 1 is on. iOS ignores `true` there. */
const SWITCHES = ['content-available', 'mutable-content'] as const

/**
 * A payload in which `true` and `false` are numbers where Apple defines a number: `content-available`,
 * `mutable-content` and the `critical` of a sound. All other bytes are unchanged.
 * @param payload a valid JSON object
 */
export function writeSwitches(payload: Buffer): Buffer {
  const aps = memberOf(rootOf(payload), 'aps')
  if (!aps || kindOf(aps) !== 'object') return payload
  const sound = memberOf(aps, 'sound')
  const switches = [...SWITCHES.map((name) => memberOf(aps, name)), sound && memberOf(sound, 'critical')]
  const wrong = switches.filter((value): value is JsonValue => value !== undefined && kindOf(value) === 'boolean')
  return wrong
    .sort((a, b) => b.start - a.start)
    .reduce((json, value) => {
      const number = Buffer.from(literalOf(value) === 'true' ? '1' : '0')
      return Buffer.concat([json.subarray(0, value.start), number, json.subarray(value.end)])
    }, payload)
}
