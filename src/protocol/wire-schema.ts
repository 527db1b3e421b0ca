// Schemas of valibot for JSON that is not parsed yet, each with a function that converts valid values at a lower cost.
import * as v from 'valibot'
import { JsonText } from '../json/json-text.ts'
import type { JsonKind } from '../json/scanner.ts'

/** The schema of any JSON value. */
export const jsonText = v.instance(JsonText)

/** The problem of a list or an object: one of its members is wrong, or it has too many. */
export class Mismatch {
  readonly problem: string
  /** The item or field that is wrong. */
  readonly member: number | string | undefined

  constructor(problem: string, member?: number | string) {
    this.problem = problem
    this.member = member
  }
}

/** Converts a JSON value. Undefined or a Mismatch if it is not of the type. */
export type Read<T> = (text: JsonText) => T | Mismatch | undefined

/**
 * How schemas convert a value without the results, paths and issues of valibot, which cost more than the
 * conversion. Only a value that is not of its type is given to the schema, which explains the error.
 */
const readers = new WeakMap<object, Read<unknown>>([[jsonText, (text) => text]])

/** Adds the reader of a schema. */
export function addReader(schema: object, read: Read<unknown>): void {
  readers.set(schema, read)
}

/** The reader of a schema, which may be wrapped in `v.optional`. */
export function findReader(schema: v.ObjectEntries[string]): Read<unknown> {
  const inner = 'wrapped' in schema && typeof schema.wrapped === 'object' ? schema.wrapped : undefined
  const known = readers.get(schema) ?? (inner ? readers.get(inner) : undefined)
  return known ?? ((text) => readWith(schema, text))
}

function readWith(schema: v.ObjectEntries[string], text: JsonText): unknown {
  const result = v.safeParse(schema, text, { abortEarly: true })
  return result.success ? result.output : undefined
}

/**
 * A schema for a value of one JSON kind.
 * @param read converts the value
 */
export function wire<T>(kind: JsonKind, typeName: string, read: Read<T>) {
  const schema = v.pipe(
    jsonText,
    v.rawTransform<JsonText, T>(({ dataset, addIssue, NEVER }) => {
      const text = dataset.value
      const value = text.kind === kind ? read(text) : undefined
      if (value !== undefined && !(value instanceof Mismatch)) return value
      const found = text.kind === kind ? `another ${kind}` : text.kind
      const { problem = `expected ${typeName} but found ${found}`, member = undefined } = value ?? {}
      addIssue({ message: problem, ...(member !== undefined && { path: [pathTo(member, text)] }) })
      return NEVER
    }),
  )
  addReader(schema, (text) => (text.kind === kind ? read(text) : undefined))
  return schema
}

/** Names of fields that errors show. Others may be long, or data. */
const PLAIN_NAME = /^[\w-]{1,64}$/

/** The last part of the path of an issue. */
export function pathTo(member: number | string, input: JsonText): v.UnknownPathItem {
  const key = typeof member === 'number' || PLAIN_NAME.test(member) ? member : '(a key)'
  return { type: 'unknown', origin: 'value', input, key, value: undefined }
}
