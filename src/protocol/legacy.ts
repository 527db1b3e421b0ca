// The legacy API: JSON commands in a row, such as `{"id":1,"method":"publish","params":{…}}`. The method is a name, in
// upper or lower case, or a number. A node runs each command when it has read it.

import { JsonSyntaxError } from '../json/json-syntax-error.ts'
import { type JsonText, readJsonText } from '../json/json-text.ts'
import { type ApiErrorName, encodeApiError } from './errors.ts'
import { DecodeError, decodeMessage, foldCase, message, uint32 } from './wire-types.ts'

/** The method of a command: its name in lower case, or its number. */
export type MethodReference = string | number

/** A command of the legacy API. Its params are not decoded yet. */
export interface LegacyCommand {
  text: JsonText
  id: number
  method: MethodReference
  /** Undefined when absent. */
  params: JsonText | undefined
}

const Frame = message({ id: uint32 })

/** Reads the commands one by one. If a command is invalid, the last item is its DecodeError. */
export function* readLegacyCommands(body: Buffer): Generator<LegacyCommand | DecodeError> {
  let at = 0
  try {
    for (let read = readJsonText(body, at); read; read = readJsonText(body, at)) {
      at = read.end
      yield readCommand(read.text)
    }
  } catch (error) {
    if (error instanceof DecodeError) yield error
    else if (error instanceof JsonSyntaxError) yield new DecodeError(error.message, { cause: error })
    else throw error
  }
}

function readCommand(text: JsonText): LegacyCommand {
  const { id } = decodeMessage(Frame, text)
  let method: MethodReference = 0
  let params: JsonText | undefined
  for (const [name, value] of text.fields()) {
    // Unlike in other messages a field with null is set here: a null method is invalid, and null params are params.
    const field = foldCase(name)
    if (field === 'method') method = readMethod(value)
    if (field === 'params') params = value
  }
  return { text, id, method, params }
}

/** Reads a method as a node does: escapes in a name are not decoded, and a number is cut to 32 bits. */
function readMethod(value: JsonText): MethodReference {
  const written = value.bytes.toString('utf8')
  if (value.kind === 'string') return written.slice(1, -1).toLowerCase()
  if (value.kind === 'number' && /^-?\d{1,18}$/.test(written)) return Number(BigInt.asIntN(32, BigInt(written)))
  throw new DecodeError(`method: expected a name or a number but found ${value.kind}`)
}

/** The reply to the command with this id. @param result its result as JSON */
export function encodeLegacyResult(id: number, result: string): Buffer {
  return Buffer.from(`{${encodeId(id)}"result":${result}}`)
}

/** The reply to the command with this id that failed. */
export function encodeLegacyError(id: number, kind: ApiErrorName): Buffer {
  return Buffer.from(`{${encodeId(id)}"error":${encodeApiError(kind)}}`)
}

function encodeId(id: number): string {
  return id === 0 ? '' : `"id":${id},`
}

/** The replies in the answer to legacy commands; undefined if it is not a row of `count` objects. */
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
