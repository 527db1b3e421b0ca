// The types of Centrifugo's api.proto as valibot schemas over raw JSON. They accept the same JSON as Go's
// encoding/json: field names match in any mix of upper and lower case, the last of two fields with one name wins,
// unknown fields are ignored, and null, an absent field and the zero value are the same.
import * as v from 'valibot'
import { JsonSyntaxError } from '../json/json-syntax-error.ts'
import { JsonText, parseJsonText } from '../json/json-text.ts'
import type { JsonKind } from '../json/scanner.ts'

/** A request body is not JSON, or does not have the types of the method. The answer is 400, and nothing is executed. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
}

const INT32 = [-(2n ** 31n), 2n ** 31n - 1n] as const
const INT64 = [-(2n ** 63n), 2n ** 63n - 1n] as const
const UINT32 = [0n, 2n ** 32n - 1n] as const
const UINT64 = [0n, 2n ** 64n - 1n] as const

const jsonText = v.instance(JsonText)

/** A scalar, list or map that may be absent. Then it has its zero value. @param zero as JSON */
function orZero<Schema extends v.GenericSchema<JsonText, unknown>>(schema: Schema, zero: string) {
  return v.optional(schema, parseJsonText(Buffer.from(zero)))
}

/** A value of one JSON kind. @param read returns undefined for a value that is not of the type */
function wire<T>(kind: JsonKind, typeName: string, read: (text: JsonText) => T | undefined) {
  return v.pipe(
    jsonText,
    v.rawTransform<JsonText, T>(({ dataset, addIssue, NEVER }) => {
      const value = dataset.value.kind === kind ? read(dataset.value) : undefined
      if (value !== undefined) return value
      addIssue({ message: `expected ${typeName} but found ${dataset.value.kind}` })
      return NEVER
    }),
  )
}

/** Integers become JavaScript numbers. Above 2^53 they lose precision, which no used field needs. */
function integer(typeName: string, [min, max]: readonly [bigint, bigint]) {
  const read = wire('number', typeName, (text) => {
    const digits = text.bytes.toString('latin1')
    // Go accepts no fraction and no exponent as an integer, not even `1.0` or `1e1`, and no `-0` as an unsigned one.
    if (!/^-?\d+$/.test(digits) || (min === 0n && digits.startsWith('-'))) return undefined
    const value = BigInt(digits)
    return value >= min && value <= max ? Number(value) : undefined
  })
  return orZero(read, '0')
}

/** `string`. */
export const string = orZero(
  wire('string', 'a string', (text) => text.string()),
  '""',
)
/** `bool`. */
export const bool = orZero(
  wire('boolean', 'a boolean', (text) => text.bytes.length === 'true'.length),
  'false',
)
/** `int32`. */
export const int32 = integer('a 32-bit integer', INT32)
/** `int64`. */
export const int64 = integer('a 64-bit integer', INT64)
/** `uint32`. */
export const uint32 = integer('an unsigned 32-bit integer', UINT32)
/** `uint64`. */
export const uint64 = integer('an unsigned 64-bit integer', UINT64)

/** `bytes` with JSON: any value, which keeps its bytes. */
export const rawJson = v.optional(jsonText)

/** `repeated string`; a null item is an empty string. */
export const strings = orZero(
  wire('array', 'a list of strings', (text) => {
    const items: string[] = []
    for (const item of text.items()) {
      if (item.kind !== 'string' && item.kind !== 'null') return undefined
      items.push(item.kind === 'null' ? '' : item.string())
    }
    return items
  }),
  '[]',
)

/** Entries of a `map<string, string>`: more than applications need, and few enough to be read quickly. */
const MAX_STRINGS = 100_000

/** `map<string, string>`; a null value is an empty string. A Map has no special keys, such as `__proto__`. */
export const stringMap = orZero(
  wire('object', `an object of at most ${MAX_STRINGS} strings`, (text): ReadonlyMap<string, string> | undefined => {
    const map = new Map<string, string>()
    const fields = text.fields(MAX_STRINGS)
    if (fields.length > MAX_STRINGS) return undefined
    for (const [key, value] of fields) {
      if (value.kind !== 'string' && value.kind !== 'null') return undefined
      map.set(key, value.kind === 'null' ? '' : value.string())
    }
    return map
  }),
  '{}',
)

/** A message. The entries must be in the order of their field numbers, because the request hash depends on it. */
export function message<const Entries extends v.ObjectEntries>(entries: Entries) {
  const names = new Set(Object.keys(entries))
  const fields = v.object(entries)
  return v.pipe(
    jsonText,
    v.rawTransform<JsonText, v.InferOutput<typeof fields>>(({ dataset, addIssue, NEVER }) => {
      const { kind } = dataset.value
      if (kind !== 'object') {
        addIssue({ message: `expected an object but found ${kind}` })
        return NEVER
      }
      const result = v.safeParse(fields, pickFields(dataset.value, names), { abortEarly: true })
      if (result.success) return result.output
      const [issue] = result.issues
      addIssue(issue.path ? { message: issue.message, path: issue.path } : { message: issue.message })
      return NEVER
    }),
  )
}

function pickFields(text: JsonText, names: ReadonlySet<string>): Record<string, JsonText> {
  const found: Record<string, JsonText> = {}
  for (const [key, value] of text.fields()) {
    const name = names.has(key) ? key : foldCase(key)
    if (names.has(name) && value.kind !== 'null') found[name] = value
  }
  return found
}

const EMPTY_MESSAGE = parseJsonText(Buffer.from('{}'))

function orEmpty(text: JsonText): JsonText {
  return text.kind === 'null' ? EMPTY_MESSAGE : text
}

/** `repeated Message`; a null item is an empty message. */
export function repeated<Schema extends v.GenericSchema<JsonText, unknown>>(item: Schema) {
  const items = wire('array', 'a list', (text) => text.items().map(orEmpty))
  return orZero(v.pipe(items, v.array(item)), '[]')
}

/**
 * `map<string, Message>`; a null value is an empty message.
 * @param limit the largest number of entries
 */
export function messageMap<Schema extends v.GenericSchema<JsonText, unknown>>(value: Schema, limit: number) {
  const entries = wire('object', `an object of at most ${limit} fields`, (text) => {
    const fields = text.fields(limit)
    return fields.length > limit ? undefined : new Map(fields.map(([key, t]) => [key, orEmpty(t)]))
  })
  return orZero(v.pipe(entries, v.map(v.string(), value)), '{}')
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
  const result = v.safeParse(schema, orEmpty(text), { abortEarly: true })
  if (result.success) return result.output
  const [issue] = result.issues
  throw new DecodeError(`${v.getDotPath(issue) ?? 'body'}: ${issue.message}`)
}

/** Checks that a body is JSON. @throws DecodeError */
export function parseBody(body: Buffer): JsonText {
  try {
    return parseJsonText(body)
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw new DecodeError(error.message, { cause: error })
    throw error
  }
}

/**
 * A field name in lower case, for comparison. Go uses Unicode's simple folding, which maps two letters outside of ASCII
 * to ASCII letters.
 */
export function foldCase(name: string): string {
  return name.replaceAll('\u017f', 's').replaceAll('\u212a', 'k').toLowerCase()
}
