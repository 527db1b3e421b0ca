// The body of a request for many tokens: `{"message":{"token":["…","…"],` + the members of the caller's message + `}}`.
// A topic or a condition is a string in place of the list.
import type { BodyWriter } from '../../http2/http2-client.ts'
import { escapeJsonList } from '../../json/strings.ts'
import { HMS_TARGET_FIELDS, MAX_HMS_MESSAGE_BYTES, measureHmsMessage } from '../../rules/hms/message.ts'
import type { TargetKind } from '../../sends/recipient.ts'
import { withoutTarget } from '../message-members.ts'

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
  const members = withoutTarget(message, HMS_TARGET_FIELDS)
  const isList = targetKind === 'token'
  const prefix = Buffer.from(`{"message":{"${targetKind}":${isList ? '[' : ''}`)
  const suffix = Buffer.concat([Buffer.from(isList ? ']' : ''), Buffer.from(members.length > 0 ? ',' : ''), members])
  return {
    isTooLarge: message.length > MAX_HMS_MESSAGE_BYTES && measureHmsMessage(message) > MAX_HMS_MESSAGE_BYTES,
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
