// Checks of the values of an FCM message, by the types of Google's discovery document
// (https://fcm.googleapis.com/$discovery/rest?version=v1) and the JSON mapping of Protocol Buffers
// (https://protobuf.dev/programming-guides/json/). Where Google's parser takes more than one spelling, all are taken.
import { itemsOf, type JsonValue, kindOf, literalOf, membersOf, textOf } from '../json-value.ts'
import { type IsOpen, type Problem, within } from '../problem.ts'

/** Checks one value. Returns its problem, with a path relative to the value; undefined if FCM accepts it. */
export type Check = (value: JsonValue, isOpen: IsOpen) => Problem | undefined

const MUST_BE_STRING = problem('must be a string')

function problem(why: string): Problem {
  return { field: '', why }
}

/** Any string. */
export const string: Check = (value) => (kindOf(value) === 'string' ? undefined : MUST_BE_STRING)

/** A string that `isValid` accepts. A text that is not known yet passes, and so does an empty one, which is unset. */
export function stringOf(why: string, isValid: (text: string) => boolean): Check {
  const invalid = problem(why)
  return (value, isOpen) => {
    if (kindOf(value) !== 'string') return invalid
    const text = textOf(value)
    return text === '' || isOpen(text) || isValid(text) ? undefined : invalid
  }
}

/** A value that is written as a literal or number, or as the same text in a string. */
function scalar(why: string, kind: 'boolean' | 'number', isValid: (text: string) => boolean): Check {
  const invalid = problem(why)
  return (value, isOpen) => {
    const found = kindOf(value)
    if (found === kind) return isValid(literalOf(value)) ? undefined : invalid
    if (found !== 'string') return invalid
    const text = textOf(value)
    return isOpen(text) || isValid(text) ? undefined : invalid
  }
}

export const boolean = scalar('must be true or false', 'boolean', (text) => text === 'true' || text === 'false')

const INT32 = 2 ** 31
export const int32 = scalar('must be a 32-bit integer', 'number', (text) => {
  const number = Number(text)
  return text !== '' && Number.isInteger(number) && number >= -INT32 && number < INT32
})

export const float = scalar('must be a number', 'number', (text) => text.trim() !== '' && Number.isFinite(Number(text)))

/** The name of an enum's value in any case, or its number. @param names in the order of their numbers */
export function enumOf(...names: readonly string[]): Check {
  const invalid = problem(`must be one of ${names.join(', ')}`)
  return (value, isOpen) => {
    const kind = kindOf(value)
    if (kind === 'number') return names[Number(literalOf(value))] === undefined ? invalid : undefined
    if (kind !== 'string') return invalid
    const text = textOf(value)
    return isOpen(text) || names.includes(text.toUpperCase().replaceAll('-', '_')) ? undefined : invalid
  }
}

/** Any JSON object (google.protobuf.Struct). */
export const struct: Check = (value) => (kindOf(value) === 'object' ? undefined : problem('must be an object'))

/** A list, with each item checked. An item that is null is no value of any type. */
export function listOf(check: Check): Check {
  return (value, isOpen) => {
    if (kindOf(value) !== 'array') return problem('must be a list')
    let index = 0
    for (const item of itemsOf(value)) {
      const found = check(item, isOpen)
      if (found) return within(String(index), found)
      index++
    }
    return undefined
  }
}

/**
 * An object of strings. FCM refuses other values, null too: "Invalid value at 'message.data[0].value' (TYPE_STRING)".
 * @param isReserved whether FCM refuses a key
 */
export function stringMap(isReserved: (key: string) => boolean = () => false): Check {
  return (value) => {
    if (kindOf(value) !== 'object') return problem('must be an object of strings')
    for (const [key, member] of membersOf(value)) {
      if (kindOf(member) !== 'string') return within(key, MUST_BE_STRING)
      if (isReserved(key)) return within(key, problem('is a key that FCM reserves'))
    }
    return undefined
  }
}

/**
 * A message: an object with these fields and no others. Each may be written in snake case or in camel case, and null
 * means that it is unset.
 */
export function messageOf(fields: Readonly<Record<string, Check>>): Check {
  const checks = new Map<string, Check>()
  for (const [name, check] of Object.entries(fields)) checks.set(name, check).set(toCamelCase(name), check)
  return (value, isOpen) => {
    if (kindOf(value) !== 'object') return problem('must be an object')
    for (const [name, member] of membersOf(value)) {
      const check = checks.get(name)
      if (check === undefined) {
        if (isOpen(name)) continue
        return within(name, problem('is no field of FCM here'))
      }
      const found = kindOf(member) === 'null' ? undefined : check(member, isOpen)
      if (found) return within(name, found)
    }
    return undefined
  }
}

function toCamelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
