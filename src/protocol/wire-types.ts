// The types of Centrifugo's api.proto as valibot schemas for JSON that is not parsed yet. They accept the same JSON as
// Go's encoding/json: field names match in any mix of upper and lower case, the last of two fields with one name wins,
// unknown fields are ignored, and null, an absent field and the zero value are the same.
import * as v from 'valibot'
import { type JsonText, parseJsonText } from '../json/json-text.ts'
import type { JsonKind } from '../json/scanner.ts'
import { addReader, findReader, jsonText, Mismatch, pathTo, wire } from './wire-schema.ts'

const INT32 = [-(2n ** 31n), 2n ** 31n - 1n] as const
const INT64 = [-(2n ** 63n), 2n ** 63n - 1n] as const
const UINT32 = [0n, 2n ** 32n - 1n] as const
const UINT64 = [0n, 2n ** 64n - 1n] as const

/** A scalar, list or map that may be absent, and has its zero value then. @param zero the zero value as JSON */
function orZero<Schema extends v.GenericSchema<JsonText, unknown>>(schema: Schema, zero: string) {
  return v.optional(schema, parseJsonText(Buffer.from(zero)))
}

/**
 * A schema for integers, which become JavaScript numbers. Above 2^53 they lose precision; no field that is used needs
 * more.
 */
function integer(typeName: string, range: readonly [bigint, bigint]) {
  return orZero(presentInteger(typeName, range), '0')
}

function presentInteger(typeName: string, [min, max]: readonly [bigint, bigint]) {
  return wire('number', typeName, (text) => {
    const digits = text.bytes.toString('latin1')
    // Go accepts no integer with a fraction or an exponent, not even `1.0` or `1e1`, and no `-0` as an unsigned one.
    if (!/^-?\d+$/.test(digits) || (min === 0n && digits.startsWith('-'))) return undefined
    const value = BigInt(digits)
    return value >= min && value <= max ? Number(value) : undefined
  })
}

/** The type `string` of api.proto. */
export const string = orZero(
  wire('string', 'a string', (text) => text.string()),
  '""',
)
/** The type `bool` of api.proto. */
export const bool = orZero(
  wire('boolean', 'a boolean', (text) => text.bytes.length === 'true'.length),
  'false',
)
/** The type `int32` of api.proto. */
export const int32 = integer('a 32-bit integer', INT32)
/** The type `int64` of api.proto. */
export const int64 = integer('a 64-bit integer', INT64)
/** The type `optional int64` of api.proto: undefined if it is absent or null, which is not 0. */
export const presentInt64 = v.optional(presentInteger('a 64-bit integer', INT64))
/** The type `uint32` of api.proto. */
export const uint32 = integer('an unsigned 32-bit integer', UINT32)
/** The type `uint64` of api.proto. */
export const uint64 = integer('an unsigned 64-bit integer', UINT64)

/** The type `bytes` of api.proto where it contains JSON: any value, with its bytes unchanged. */
export const rawJson = v.optional(jsonText)

/** The type `repeated string` of api.proto. An item that is null is an empty string. */
export const strings = orZero(
  wire('array', 'a list of strings', (text) => {
    const items: string[] = []
    for (const item of text.items()) {
      if (item.kind !== 'string' && item.kind !== 'null') return noString(item.kind, items.length)
      items.push(item.kind === 'null' ? '' : item.string())
    }
    return items
  }),
  '[]',
)

function noString(kind: JsonKind, member: number | string): Mismatch {
  return new Mismatch(`expected a string but found ${kind}`, member)
}

/** The most entries of a `map<string, string>`: more than applications need, and few enough to be read quickly. */
const MAX_STRINGS = 100_000

/**
 * The type `map<string, string>` of api.proto. A value that is null is an empty string. It becomes a Map, because an
 * object has special keys such as `__proto__`.
 */
export const stringMap = orZero(
  wire('object', 'an object of strings', (text): ReadonlyMap<string, string> | Mismatch => {
    const map = new Map<string, string>()
    let count = 0
    for (const [key, value] of text.fields()) {
      if (++count > MAX_STRINGS) return new Mismatch(`expected at most ${MAX_STRINGS} fields but found more`)
      if (value.kind !== 'string' && value.kind !== 'null') return noString(value.kind, key)
      map.set(key, value.kind === 'null' ? '' : value.string())
    }
    return map
  }),
  '{}',
)

/**
 * A message of api.proto. Its fields must be in the order of their numbers, because the request hash depends on the
 * order.
 */
export function message<const Entries extends v.ObjectEntries>(entries: Entries) {
  const fields = v.object(entries)
  const schemas = new Map(Object.entries(entries))
  const absent = Object.fromEntries(Array.from(schemas.keys(), (name) => [name, undefined]))
  // The fields of an empty message, in their order. Most fields of a request are absent: they are not parsed again.
  const zero = { ...absent, ...v.parse(fields, {}) }
  const fieldReaders = new Map(Array.from(schemas, ([name, schema]) => [name, findReader(schema)]))
  const read = (text: JsonText): v.InferOutput<typeof fields> | undefined => {
    if (text.kind !== 'object') return undefined
    const found: Record<string, unknown> = {}
    for (const [name, value] of pickFields(text, schemas)) {
      const field = fieldReaders.get(name)?.(value)
      if (field === undefined || field instanceof Mismatch) return undefined
      found[name] = field
    }
    return Object.assign({ ...zero }, found)
  }
  const schema = v.pipe(
    jsonText,
    v.rawTransform<JsonText, v.InferOutput<typeof fields>>(({ dataset, addIssue, NEVER }) => {
      const text = dataset.value
      const output = read(text)
      if (output !== undefined) return output
      addIssue(findIssue(text, schemas))
      return NEVER
    }),
  )
  addReader(schema, read)
  return schema
}

/** The issue of the first field that is not of its type. */
function findIssue(text: JsonText, schemas: ReadonlyMap<string, v.ObjectEntries[string]>) {
  for (const [name, value] of pickFields(text, schemas)) {
    const schema = schemas.get(name)
    const [issue] = (schema && v.safeParse(schema, value, { abortEarly: true }).issues) ?? []
    if (!issue) continue
    const path: [v.IssuePathItem, ...v.IssuePathItem[]] = [pathTo(name, text), ...(issue.path ?? [])]
    return { message: issue.message, path }
  }
  return { message: `expected an object but found ${text.kind}` }
}

/** The last field of each name that is not null. */
function pickFields(text: JsonText, names: ReadonlyMap<string, unknown>): Map<string, JsonText> {
  const found = new Map<string, JsonText>()
  for (const [key, value] of text.fields()) {
    const name = names.has(key) ? key : foldCase(key)
    if (names.has(name) && value.kind !== 'null') found.set(name, value)
  }
  return found
}

const EMPTY_MESSAGE = parseJsonText(Buffer.from('{}'))

/** A message that may be null, which is an empty message then, as in Go. */
export function orEmpty(text: JsonText): JsonText {
  return text.kind === 'null' ? EMPTY_MESSAGE : text
}

/** The most messages of a list: more than applications need. */
const MAX_MESSAGES = 1000

/** The type `repeated Message` of api.proto. An item that is null is an empty message. */
export function repeated<Schema extends v.GenericSchema<JsonText, unknown>>(item: Schema) {
  const items = wire('array', 'a list of objects', (text) => {
    const messages: JsonText[] = []
    for (const one of text.items()) {
      if (messages.push(orEmpty(one)) <= MAX_MESSAGES) continue
      return new Mismatch(`expected at most ${MAX_MESSAGES} items but found more`)
    }
    return messages
  })
  return orZero(v.pipe(items, v.array(item)), '[]')
}

/**
 * The type `map<string, Message>` of api.proto. A value that is null is an empty message.
 * @param limit the most entries of the map
 */
export function messageMap<Schema extends v.GenericSchema<JsonText, unknown>>(value: Schema, limit: number) {
  const entries = wire('object', 'an object of objects', (text) => {
    const map = new Map<string, JsonText>()
    let count = 0
    for (const [key, message] of text.fields()) {
      if (++count > limit) return new Mismatch(`expected at most ${limit} fields but found more`)
      map.set(key, orEmpty(message))
    }
    return map
  })
  return orZero(v.pipe(entries, v.map(v.string(), value)), '{}')
}

/**
 * Folds a field name for comparison: to lower case, and with Unicode's simple folding as in Go, which maps two letters
 * outside of ASCII to ASCII letters.
 */
export function foldCase(name: string): string {
  return name.replaceAll('\u017f', 's').replaceAll('\u212a', 'k').toLowerCase()
}
