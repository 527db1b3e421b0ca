// Decodes a request body as a message of api.proto: to a typed value, or to an error that names the invalid field.
import * as v from 'valibot'
import { JsonLimitError } from '../json/json-limit-error.ts'
import { JsonSyntaxError } from '../json/json-syntax-error.ts'
import { JsonText, parseJsonText } from '../json/json-text.ts'
import { orEmpty } from './wire-types.ts'

/**
 * A request body is not JSON, or does not have the types of the method's request. The server answers 400 and executes
 * nothing.
 */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
}

/**
 * Decodes a request body. `null` is an empty message, as in Go.
 * @throws DecodeError that names the path of the first invalid field and never contains its value
 */
export function decodeMessage<Schema extends v.GenericSchema<JsonText, unknown>>(
  schema: Schema,
  body: Buffer | JsonText,
): v.InferOutput<Schema> {
  const text = body instanceof JsonText ? body : parseBody(body)
  const result = decoding(() => v.safeParse(schema, orEmpty(text), { abortEarly: true }))
  if (result.success) return result.output
  const [issue] = result.issues
  throw new DecodeError(`${v.getDotPath(issue) ?? 'body'}: ${issue.message}`)
}

/** Checks that a body is JSON. @throws DecodeError */
export function parseBody(body: Buffer): JsonText {
  return decoding(() => parseJsonText(body))
}

/** Runs `read`. @throws DecodeError when the JSON is not valid, or has too many fields and items */
export function decoding<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof JsonSyntaxError || error instanceof JsonLimitError)) throw error
    throw new DecodeError(error.message, { cause: error })
  }
}
