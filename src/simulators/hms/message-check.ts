// The checks that Push Kit makes of a request, as far as a sender can violate them
// (https://developer.huawei.com/consumer/en/doc/HMSCore-References/https-send-api-0000001050986197).

import * as v from 'valibot'
import { parseJsonOrUndefined } from '../../json/parse-or-undefined.ts'
import { findHmsMessageProblem, MAX_HMS_MESSAGE_BYTES } from '../../rules/hms/message.ts'
import type { HmsCode } from './hms-answer.ts'

const MAX_TOKENS = 1000

const RequestSchema = v.object({ validate_only: v.optional(v.boolean()), message: v.record(v.string(), v.unknown()) })
const TokensSchema = v.array(v.pipe(v.string(), v.nonEmpty()))
const TextSchema = v.pipe(v.string(), v.nonEmpty())

/** The kinds of targets of a Push Kit message. */
export type HmsTargetKind = 'token' | 'topic' | 'condition'

/** The targets and the message of a request. */
export interface CheckedMessage {
  kind: HmsTargetKind
  targets: readonly string[]
  /** The message without its fields `token`, `topic` and `condition`, as compact JSON. */
  message: string
}

/**
 * Checks the body of a request. Returns its content if Huawei would accept it, otherwise the code of Huawei's answer.
 */
export function checkMessage(body: string): CheckedMessage | { refusal: HmsCode } {
  const request = v.safeParse(RequestSchema, parseJsonOrUndefined(body))
  if (!request.success) return { refusal: '80100003' }
  const { token, topic, condition, ...rest } = request.output.message
  const given = Object.entries({ token, topic, condition }).filter(([, value]) => value !== undefined)
  if (given.length !== 1) return { refusal: '80100003' }
  const message = JSON.stringify(rest)
  if (Buffer.byteLength(message) > MAX_HMS_MESSAGE_BYTES) return { refusal: '80300008' }
  if (findHmsMessageProblem(Buffer.from(message))) return { refusal: '80100003' }
  if (token !== undefined) return checkTokens(token, message)
  const text = v.safeParse(TextSchema, topic ?? condition)
  if (!text.success) return { refusal: '80100001' }
  return { kind: topic === undefined ? 'condition' : 'topic', targets: [text.output], message }
}

function checkTokens(token: unknown, message: string): CheckedMessage | { refusal: HmsCode } {
  const tokens = v.safeParse(TokensSchema, token)
  if (!tokens.success) return { refusal: '80100003' }
  const isCountGood = tokens.output.length > 0 && tokens.output.length <= MAX_TOKENS
  return isCountGood ? { kind: 'token', targets: tokens.output, message } : { refusal: '80300010' }
}
