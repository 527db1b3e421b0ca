// The body of a request for one target: `{"message":{"token":"…",` + the members of the caller's message + `}}`.
import type { BodyWriter } from '../../http2/http2-client.ts'
import { escapeJson } from '../../json/strings.ts'
import { withoutTarget } from '../message-members.ts'
import type { Batch } from '../provider.ts'

/** Writes the request body for the target at `index`. The parts that all targets share are already computed. */
export type WriteBody = (index: number, body: BodyWriter) => void

const END = Buffer.from('}}')

/** Prepares the request bodies of a batch. */
export function makeBodyWriter({ notification, targetKind, targets, personal }: Batch): WriteBody {
  const prefix = Buffer.from(`{"message":{"${targetKind}":"`)
  const members = withoutTarget(notification.json)
  const separator = Buffer.from(members.length > 0 ? '",' : '"')
  if (personal) {
    const writeMembers = personal.prepareJson(members)
    return (index, body) => {
      body.bytes(prefix)
      body.text(escapeJson(targets[index] ?? ''))
      body.bytes(separator)
      writeMembers(index, body)
      body.bytes(END)
    }
  }
  const suffix = Buffer.concat([separator, members, END])
  return (index, body) => {
    body.bytes(prefix)
    body.text(escapeJson(targets[index] ?? ''))
    body.bytes(suffix)
  }
}
