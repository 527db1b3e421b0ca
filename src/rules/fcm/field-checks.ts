// Checks of the values of an FCM message, by the types of Google's discovery document
// (https://fcm.googleapis.com/$discovery/rest?version=v1) and the JSON mapping of Protocol Buffers
// (https://protobuf.dev/programming-guides/json/). Where Google's parser takes more than one spelling, all are taken.
import { isObject } from '../json-object.ts'
import { type IsOpen, type Problem, within } from '../problem.ts'

/** Checks one value. Returns its problem, with a path relative to the value; undefined if FCM accepts it. */
export type Check = (value: unknown, isOpen: IsOpen) => Problem | undefined

function problem(why: string): Problem {
  return { field: '', why }
}

const NO_STRING = problem('must be a string')
const NO_OBJECT = problem('must be an object')
const NO_LIST = problem('must be a list')
const NO_MAP = problem('must be an object of strings')
const NO_FIELD = problem('is no field of FCM here')
const RESERVED = problem('is a key that FCM reserves')

/** Any string. */
export const string: Check = (value) => (typeof value === 'string' ? undefined : NO_STRING)

/** A string that `isValid` accepts. A text that is not known yet passes, and so does an empty one, which is unset. */
export function stringOf(why: string, isValid: (text: string) => boolean): Check {
  const invalid = problem(why)
  return (value, isOpen) => {
    if (typeof value !== 'string') return invalid
    return value === '' || isOpen(value) || isValid(value) ? undefined : invalid
  }
}

/** A value with a form of its own that is written as a string. Unlike a string, an empty one is not unset. */
export function formOf(why: string, isValid: (text: string) => boolean): Check {
  const text = stringOf(why, isValid)
  const empty = problem(why)
  return (value, isOpen) => (value === '' ? empty : text(value, isOpen))
}

/** True or false, which may be written as strings. */
export const boolean: Check = (value, isOpen) => {
  if (typeof value === 'boolean' || value === 'true' || value === 'false') return undefined
  return typeof value === 'string' && isOpen(value) ? undefined : problem('must be true or false')
}

/** A number that may be written as a string. */
function numberOf(why: string, isValid: (number: number) => boolean): Check {
  const invalid = problem(why)
  return (value, isOpen) => {
    if (typeof value === 'number') return isValid(value) ? undefined : invalid
    if (typeof value !== 'string') return invalid
    return isOpen(value) || (value.trim() !== '' && isValid(Number(value))) ? undefined : invalid
  }
}

export const int32 = numberOf(
  'must be a 32-bit integer',
  (number) => Number.isInteger(number) && (number | 0) === number,
)
export const float = numberOf('must be a number', Number.isFinite)

/** The name of an enum's value in any case, or its number. @param names in the order of their numbers */
export function enumOf(...names: readonly string[]): Check {
  const invalid = problem(`must be one of ${names.join(', ')}`)
  return (value, isOpen) => {
    if (typeof value === 'number') return names[value] === undefined ? invalid : undefined
    if (typeof value !== 'string') return invalid
    return isOpen(value) || names.includes(value.toUpperCase().replaceAll('-', '_')) ? undefined : invalid
  }
}

/** Any JSON object (google.protobuf.Struct). */
export const struct: Check = (value) => (isObject(value) ? undefined : NO_OBJECT)

/** A list, with each item checked. An item that is null is no value of any type. */
export function listOf(check: Check): Check {
  return (value, isOpen) => {
    if (!Array.isArray(value)) return NO_LIST
    for (const [index, item] of value.entries()) {
      const found = check(item, isOpen)
      if (found) return within(String(index), found)
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
    if (!isObject(value)) return NO_MAP
    for (const key of Object.keys(value)) {
      if (typeof value[key] !== 'string') return within(key, NO_STRING)
      if (isReserved(key)) return within(key, RESERVED)
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
    if (!isObject(value)) return NO_OBJECT
    for (const name of Object.keys(value)) {
      const check = checks.get(name)
      if (check === undefined) {
        if (isOpen(name)) continue
        return within(name, NO_FIELD)
      }
      const member = value[name]
      const found = member === null ? undefined : check(member, isOpen)
      if (found) return within(name, found)
    }
    return undefined
  }
}

function toCamelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
