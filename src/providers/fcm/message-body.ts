// The request for one target: `{"message":{"token":"…",` + what stands in the caller's message + `}}`.
import type { BodyWriter } from '../../http2/http2-client.ts'
import { escapeJson, readMembers } from '../message-members.ts'
import type { TargetKind } from '../provider.ts'

/** Writes the request body for one target. What does not depend on the target was computed beforehand. */
export type WriteBody = (target: string, body: BodyWriter) => void

/** Prepares a batch's requests from `message`, the bytes of a valid JSON object. */
export function makeBodyWriter(message: Buffer, targetKind: TargetKind): WriteBody {
  const prefix = Buffer.from(`{"message":{"${targetKind}":"`)
  const members = readMembers(message)
  const suffix = Buffer.concat([Buffer.from(members.length > 0 ? '",' : '"'), members, Buffer.from('}}')])
  return (target, body) => {
    body.bytes(prefix)
    body.text(escapeJson(target))
    body.bytes(suffix)
  }
}
