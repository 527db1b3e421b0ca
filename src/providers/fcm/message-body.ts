// The body of a request for one target: `{"message":{"token":"…",` + the members of the caller's message + `}}`.
import type { BodyWriter } from '../../http2/http2-client.ts'
import { escapeJson } from '../../json/strings.ts'
import { FCM_TARGET_FIELDS, fieldOfToken } from '../../rules/fcm/targets.ts'
import { withoutTarget } from '../message-members.ts'
import type { Batch } from '../provider.ts'

/** Writes the request body for the target at `index`. The parts that all targets share are already computed. */
export type WriteBody = (index: number, body: BodyWriter) => void

const TARGET_FIELDS: ReadonlySet<string> = new Set(FCM_TARGET_FIELDS)
const END = Buffer.from('}}')

/** The body up to the text of the target, for each member that addresses a message. */
const PREFIXES = {
  fid: Buffer.from('{"message":{"fid":"'),
  token: Buffer.from('{"message":{"token":"'),
  topic: Buffer.from('{"message":{"topic":"'),
  condition: Buffer.from('{"message":{"condition":"'),
}

/** Prepares the request bodies of a batch. */
export function makeBodyWriter({ notification, targetKind, targets, personal }: Batch): WriteBody {
  const members = withoutTarget(notification.json, TARGET_FIELDS)
  const separator = Buffer.from(members.length > 0 ? '",' : '"')
  const writeTarget = (index: number, body: BodyWriter) => {
    const target = targets[index] ?? ''
    body.bytes(PREFIXES[targetKind === 'token' ? fieldOfToken(target) : targetKind])
    body.text(escapeJson(target))
  }
  if (personal) {
    const writeMembers = personal.prepareJson(members)
    return (index, body) => {
      writeTarget(index, body)
      body.bytes(separator)
      writeMembers(index, body)
      body.bytes(END)
    }
  }
  const suffix = Buffer.concat([separator, members, END])
  return (index, body) => {
    writeTarget(index, body)
    body.bytes(suffix)
  }
}
