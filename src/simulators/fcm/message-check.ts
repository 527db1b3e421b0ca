// The checks that FCM makes of a message, as far as a sender can violate them. What FCM accepts is in src/rules/fcm.

import { JsonSyntaxError } from '../../json/json-syntax-error.ts'
import { type JsonText, parseJsonText } from '../../json/json-text.ts'
import { findMessageProblem } from '../../rules/fcm/check-message.ts'
import { maxMessageBytes, measureMessage } from '../../rules/fcm/size.ts'
import {
  FCM_TARGET_FIELDS,
  type FcmTargetField,
  findConditionProblem,
  findTopicProblem,
} from '../../rules/fcm/targets.ts'
import { within } from '../../rules/problem.ts'
import type { Answer } from '../answer.ts'
import { badRequest, fcmErrorDetail, googleError } from './google-error.ts'

/** The target of an FCM message. */
export interface FcmTarget {
  kind: FcmTargetField
  value: string
}

/** The fields of a request, both spellings of its only option included. */
const REQUEST_FIELDS: ReadonlySet<string> = new Set(['message', 'validate_only', 'validateOnly'])

/** Checks the body of a request. Returns its target if FCM would accept it, otherwise FCM's answer. */
export function checkMessage(body: string): { target: FcmTarget } | { refusal: Answer } {
  const request = parseJson(body)
  if (request?.kind !== 'object') return { refusal: badRequest('', 'not a JSON object') }
  const fields = new Map(request.fields())
  for (const name of fields.keys()) {
    if (!REQUEST_FIELDS.has(name)) return { refusal: badRequest(name, 'is no field of FCM here') }
  }
  const message = fields.get('message')
  if (message?.kind !== 'object') return { refusal: badRequest('message', 'must be an object') }
  const target = findTarget(message)
  if (!target) return { refusal: badRequest('message', 'needs exactly one of fid, token, topic and condition') }
  const problem = findMessageProblem(message.bytes) ?? findTargetProblem(target)
  if (problem) {
    const { field, why } = within('message', problem)
    return { refusal: badRequest(field, why) }
  }
  if (measureMessage(message.bytes) > maxMessageBytes(target.kind === 'fid' ? 'token' : target.kind)) {
    return { refusal: tooBig() }
  }
  return { target }
}

function findTarget(message: JsonText): FcmTarget | undefined {
  const given = [...message.fields()].filter(([name]) => FCM_TARGET_FIELDS.some((field) => field === name))
  const [name, value] = given[0] ?? []
  const kind = FCM_TARGET_FIELDS.find((field) => field === name)
  const text = value?.kind === 'string' ? value.string() : ''
  return given.length === 1 && kind && text !== '' ? { kind, value: text } : undefined
}

function findTargetProblem({ kind, value }: FcmTarget) {
  if (kind !== 'topic' && kind !== 'condition') return undefined
  const why = kind === 'topic' ? findTopicProblem(value) : findConditionProblem(value)
  return why === undefined ? undefined : { field: kind, why }
}

function tooBig(): Answer {
  return googleError(400, 'INVALID_ARGUMENT', 'the message is too big', [fcmErrorDetail('INVALID_ARGUMENT')])
}

function parseJson(text: string): JsonText | undefined {
  try {
    return parseJsonText(Buffer.from(text))
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined
    throw error
  }
}
