// The legacy API: JSON commands that follow each other, such as `{"id":1,"method":"publish","params":{…}}`. The method
// is a name in upper or lower case, or a number. A node runs each command as soon as it has read it.

import { JsonSyntaxError } from '../json/json-syntax-error.ts'
import { type JsonText, readJsonText } from '../json/json-text.ts'
import { DecodeError, decodeMessage, decoding } from './decode-message.ts'
import { type ApiErrorName, encodeApiError } from './errors.ts'
import { foldCase, message, uint32 } from './wire-types.ts'

/** Commands of one request, as many as of a batch. A body of 64 MiB can contain 30 million empty ones. */
export const MAX_LEGACY_COMMANDS = 100_000

/** The method that a command names: its name in lower case, or its number. */
export type MethodReference = string | number

/** A command of the legacy API with its params, which are not decoded yet. */
export interface LegacyCommand {
  text: JsonText
  id: number
  method: MethodReference
  /** The params of the command; undefined if it has none. */
  params: JsonText | undefined
}

const Frame = message({ id: uint32 })

/** Reads the commands of a request one by one. If a command is invalid, its DecodeError is the last item. */
export function* readLegacyCommands(body: Buffer): Generator<LegacyCommand | DecodeError> {
  let at = 0
  try {
    for (let read = readNext(body, at); read; read = readNext(body, at)) {
      at = read.end
      yield read.command
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    yield error
  }
}

function readNext(body: Buffer, from: number): { command: LegacyCommand; end: number } | undefined {
  return decoding(() => {
    const read = readJsonText(body, from)
    return read && { command: readCommand(read.text), end: read.end }
  })
}

function readCommand(text: JsonText): LegacyCommand {
  const { id } = decodeMessage(Frame, text)
  let method: MethodReference = 0
  let params: JsonText | undefined
  for (const [name, value] of text.fields()) {
    // In other messages a field with null counts as absent. Here it does not: a null method is invalid, and null params
    // are params.
    const field = foldCase(name)
    if (field === 'method') method = readMethod(value)
    if (field === 'params') params = value
  }
  return { text, id, method, params }
}

/** Reads a method as a node does: escapes in a name are not decoded, and a number is truncated to 32 bits. */
function readMethod(value: JsonText): MethodReference {
  const written = value.bytes.toString('utf8')
  if (value.kind === 'string') return written.slice(1, -1).toLowerCase()
  if (value.kind === 'number' && /^-?\d{1,18}$/.test(written)) return Number(BigInt.asIntN(32, BigInt(written)))
  throw new DecodeError(`method: expected a name or a number but found ${value.kind}`)
}

/** Makes the reply to the command with this id. @param result the result of the command as JSON */
export function encodeLegacyResult(id: number, result: string): Buffer {
  return Buffer.from(`{${encodeId(id)}"result":${result}}`)
}

/** Makes the error reply to the command with this id. @param details the reason, for clients that asked for it */
export function encodeLegacyError(id: number, kind: ApiErrorName, details?: string): Buffer {
  return Buffer.from(`{${encodeId(id)}"error":${encodeApiError(kind, details)}}`)
}

function encodeId(id: number): string {
  return id === 0 ? '' : `"id":${id},`
}

/**
 * The replies in the answer to legacy commands; undefined if the answer is not `count` JSON objects that follow each
 * other.
 */
export function parseLegacyReplies(answer: Buffer, count: number): Buffer[] | undefined {
  const replies: Buffer[] = []
  try {
    let at = 0
    for (let read = readJsonText(answer, at); read; read = readJsonText(answer, at)) {
      at = read.end
      if (read.text.kind !== 'object') return undefined
      replies.push(read.text.bytes)
    }
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined
    throw error
  }
  return replies.length === count ? replies : undefined
}
