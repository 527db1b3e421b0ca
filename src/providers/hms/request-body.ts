// The request for many tokens at once: `{"message":{"token":["…","…"],` + what stands in the caller's message + `}}`;
// for a topic or a condition it is a text in place of the list.
import type { BodyWriter } from '../../http2/http2-client.ts'
import { escapeJsonList } from '../../json/strings.ts'
import { withoutTarget } from '../message-members.ts'
import type { TargetKind } from '../provider.ts'

/** Huawei takes 4,096 bytes of a message, tokens not counted (code 80300008). */
export const MAX_MESSAGE_BYTES = 4096

/** A thousand at once would be a text of more than 128 KB, which V8 keeps apart, each time in new memory. */
const PIECE_TARGETS = 100

/** A send's message, for any number of requests. */
export interface HmsMessage {
  /** Huawei would refuse it. */
  isTooLarge: boolean
  /** Writes the request for these targets: tokens, or one topic or condition. */
  writeBody(targets: readonly string[], body: BodyWriter): void
}

/** Prepares requests from `message`, the bytes of a valid JSON object. */
export function readMessage(message: Buffer, targetKind: TargetKind): HmsMessage {
  const members = withoutTarget(message)
  const isList = targetKind === 'token'
  const prefix = Buffer.from(`{"message":{"${targetKind}":${isList ? '[' : ''}`)
  const suffix = Buffer.concat([Buffer.from(isList ? ']' : ''), Buffer.from(members.length > 0 ? ',' : ''), members])
  return {
    isTooLarge: message.length > MAX_MESSAGE_BYTES && compactLength(members) > MAX_MESSAGE_BYTES,
    writeBody(targets, body) {
      body.bytes(prefix)
      for (let from = 0; from < targets.length; from += PIECE_TARGETS) {
        if (from > 0) body.text(',')
        body.text(escapeJsonList(targets.slice(from, from + PIECE_TARGETS)))
      }
      body.bytes(suffix)
      body.text('}}')
    },
  }
}

/** Without the white space, which Huawei may not count. */
function compactLength(members: Buffer): number {
  return Buffer.byteLength(JSON.stringify(JSON.parse(`{${members.toString()}}`)))
}
