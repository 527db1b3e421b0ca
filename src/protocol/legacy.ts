// The legacy API: JSON commands one after another, `{"id":1,"method":"publish","params":{…}}`, the method by its name in
// any case or by its number. A node runs them one by one as it reads them.

import { JsonSyntaxError } from '../json/json-syntax-error.ts'
import { type JsonText, readJsonText } from '../json/json-text.ts'
import { type ApiErrorName, encodeApiError } from './errors.ts'
import { DecodeError, decodeMessage, foldCase, message, uint32 } from './wire-types.ts'

/** What a command may call a method: a name in lower case or a number. */
export type MethodReference = string | number

export interface LegacyCommand {
  text: JsonText
  id: number
  method: MethodReference
  /** Undefined when absent. */
  params: JsonText | undefined
}

const Frame = message({ id: uint32 })

/** Each command as it is read; the last item may be a DecodeError, where what follows can't be read. */
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
    // Unlike elsewhere null counts here: a null method does not decode, null params are params.
    const field = foldCase(name)
    if (field === 'method') method = readMethod(value)
    if (field === 'params') params = value
  }
  return { text, id, method, params }
}

/** As a node reads it: a name with its escapes as they stand, a number cut to 32 bits. */
function readMethod(value: JsonText): MethodReference {
  const written = value.bytes.toString('utf8')
  if (value.kind === 'string') return written.slice(1, -1).toLowerCase()
  if (value.kind === 'number' && /^-?\d{1,18}$/.test(written)) return Number(BigInt.asIntN(32, BigInt(written)))
  throw new DecodeError(`method: expected a name or a number but found ${value.kind}`)
}

export function encodeLegacyResult(id: number, result: string): Buffer {
  return Buffer.from(`{${encodeId(id)}"result":${result}}`)
}

export function encodeLegacyError(id: number, kind: ApiErrorName): Buffer {
  return Buffer.from(`{${encodeId(id)}"error":${encodeApiError(kind)}}`)
}

function encodeId(id: number): string {
  return id === 0 ? '' : `"id":${id},`
}

/** The replies of an answer to legacy commands, or undefined when it is not `count` objects one after another. */
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
