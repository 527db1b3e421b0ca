import { isObject, parseObject } from '../json-object.ts'
import type { Problem } from '../problem.ts'

/** The size of a message. Push services must accept 4,096 bytes (RFC 8030 section 7.2), and accept no more. */
export const MAX_MESSAGE_BYTES = 4096
/** The bytes of the header of RFC 8188 with a key of P-256, the delimiter, and the tag of AES-GCM. */
const OVERHEAD_BYTES = 16 + 4 + 1 + 65 + 1 + 16

/** The most bytes of payload that fit into a message. */
export const MAX_WEB_PUSH_PAYLOAD_BYTES = MAX_MESSAGE_BYTES - OVERHEAD_BYTES

/** The member by which browsers recognize a declarative message, and its value: the number of RFC 8030. */
const MARK = 'web_push'
const MARK_VALUE = 8030

/**
 * Why browsers do not show a declarative message; undefined for a complete one and for all other payloads
 * (https://www.w3.org/TR/push-api/#declarative-push-message).
 * @param payload a valid JSON object
 */
export function findDeclarativeProblem(payload: Buffer): Problem | undefined {
  if (!payload.includes(MARK)) return undefined
  const { [MARK]: mark, notification } = parseObject(payload)
  if (mark !== MARK_VALUE) return undefined
  const why = `is missing, which a payload with ${MARK} ${MARK_VALUE} needs`
  if (!isObject(notification)) return { field: 'notification', why }
  const name = ['title', 'navigate'].find((key) => typeof notification[key] !== 'string' || notification[key] === '')
  return name === undefined ? undefined : { field: `notification.${name}`, why }
}
