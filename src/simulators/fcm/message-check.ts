// The checks that FCM makes of a message, as far as a sender can violate them
// (https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages).
import * as v from 'valibot'
import type { Answer } from '../answer.ts'
import { badRequest, fcmErrorDetail, googleError } from './google-error.ts'

const MAX_PAYLOAD_BYTES = 4096
const MAX_TOPIC_PAYLOAD_BYTES = 2048
const TARGET_KINDS = ['token', 'topic', 'condition'] as const

/** The kinds of targets of an FCM message. */
export type FcmTargetKind = (typeof TARGET_KINDS)[number]

/** The target of an FCM message. */
export interface FcmTarget {
  kind: FcmTargetKind
  value: string
}

const RequestSchema = v.object({ message: v.record(v.string(), v.unknown()) })
const DataSchema = v.optional(v.record(v.string(), v.string()))

/** Checks the body of a request. Returns its target if FCM would accept it, otherwise FCM's answer. */
export function checkMessage(body: string): { target: FcmTarget } | { refusal: Answer } {
  const request = v.safeParse(RequestSchema, parseJson(body))
  if (!request.success) return { refusal: badRequest('message', 'not a JSON object with a message that is an object') }
  const { message } = request.output
  const target = findTarget(message)
  if (!target) return { refusal: badRequest('message', 'needs exactly one of token, topic and condition') }
  if (!v.is(DataSchema, message.data)) return { refusal: badRequest('message.data', 'the values must be strings') }
  const limit = target.kind === 'topic' ? MAX_TOPIC_PAYLOAD_BYTES : MAX_PAYLOAD_BYTES
  if (measurePayload(message) > limit) return { refusal: tooBig() }
  return { target }
}

function findTarget(message: Record<string, unknown>): FcmTarget | undefined {
  const given = TARGET_KINDS.filter((kind) => message[kind] !== undefined)
  const [kind] = given
  const value = kind && message[kind]
  return given.length === 1 && kind && typeof value === 'string' && value !== '' ? { kind, value } : undefined
}

/**
 * The size of a message in bytes. Google does not document how it measures: here keys and values of `data` and the
 * other members as compact JSON count, the target does not.
 */
function measurePayload(message: Record<string, unknown>): number {
  let bytes = 0
  for (const [name, value] of Object.entries(message)) {
    if (TARGET_KINDS.some((kind) => kind === name)) continue
    const texts =
      name === 'data' && v.is(DataSchema, value) ? Object.entries(value ?? {}).flat() : [JSON.stringify(value)]
    for (const text of texts) bytes += Buffer.byteLength(text)
  }
  return bytes
}

function tooBig(): Answer {
  return googleError(400, 'INVALID_ARGUMENT', 'the message is too big', [fcmErrorDetail('INVALID_ARGUMENT')])
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
