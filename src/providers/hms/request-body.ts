// The body of a request for many tokens: `{"message":{"token":["…","…"],` + the members of the caller's message + `}}`.
// A topic or a condition is a string in place of the list.
import type { BodyWriter } from '../../http2/http2-client.ts'
import { escapeJsonList } from '../../json/strings.ts'
import type { TargetKind } from '../../sends/recipient.ts'
import { withoutTarget } from '../message-members.ts'

/** The most bytes of a message, without the tokens. Huawei refuses more with code 80300008. */
export const MAX_MESSAGE_BYTES = 4096

/**
 * The number of targets that are written as one string: V8 would allocate a string of a thousand targets (more than 128
 * KB) as a large object each time.
 */
const PIECE_TARGETS = 100

/** The message of a send, prepared for any number of requests. */
export interface HmsMessage {
  /** Whether Huawei would refuse the message for its size. */
  isTooLarge: boolean
  /** Writes the body of a request for these targets: tokens, or one topic or condition. */
  writeBody(targets: readonly string[], body: BodyWriter): void
}

/** Prepares the message of a send. @param message the bytes of a valid JSON object */
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

/** The length of the message without white space, which Huawei may not count. */
function compactLength(members: Buffer): number {
  return Buffer.byteLength(JSON.stringify(JSON.parse(`{${members.toString()}}`)))
}
