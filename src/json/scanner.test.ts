import { expect, test } from 'vitest'
import { fc } from '../../tests/support/fast-check.ts'
import { JsonSyntaxError } from './json-syntax-error.ts'
import { compactJson, type JsonText, parseJsonText } from './json-text.ts'
import { readMembers } from './object-members.ts'
import { decodeSource, endOf, readJsonStrings } from './source-text.ts'

// A fixed seed, so that each run checks the same documents.
const RUNS = { seed: 20_261, numRuns: 2000 }

/** A value written with any white space, with duplicate keys and with escapes that JSON.stringify does not use. */
const document = fc.letrec<{ value: string }>((tie) => {
  const space = fc.constantFrom('', '', '', ' ', '\n\t', '\r ')
  const number = fc.constantFrom('0', '-0', '1.0', '1E+3', '-12.50e-7', '12345678901234567890')
  const unit = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 4 }).map((text) => JSON.stringify(text).slice(1, -1)),
    fc.constantFrom('\\/', '\\u0041', '\\uD83D\\uDE00', '\\ud83d', '\\udE00', '{', '}', '[', ']', ':', ',', '\u007f'),
  )
  const string = fc.array(unit, { maxLength: 5 }).map((units) => `"${units.join('')}"`)
  const member = fc.tuple(space, fc.oneof(string, fc.constantFrom('"a"', '"__proto__"')), space, tie('value'))
  const items = fc.array(tie('value'), { maxLength: 4 }).map((values) => `[${values.join(',')}]`)
  const members = fc.array(
    member.map(([before, key, after, value]) => `${before}${key}${after}:${value}`),
    { maxLength: 4 },
  )
  const object = members.map((texts) => `{${texts.join(',')}}`)
  const bare = fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    fc.constantFrom('true', 'false', 'null', '[]', '{}', '[ ]', '{\n}'),
    number,
    string,
    items,
    object,
  )
  return { value: fc.tuple(space, bare, space).map((parts) => parts.join('')) }
}).value

/** A document with one byte inserted, removed or replaced, or cut off: it is nearly always invalid. */
const brokenDocument = fc
  .tuple(document, fc.nat(), fc.constantFrom('cut', 'remove', 'insert', 'replace'), fc.nat({ max: 127 }))
  .map(([text, place, change, code]) => {
    const at = place % (text.length + 1)
    const character = String.fromCharCode(code)
    if (change === 'cut') return text.slice(0, at)
    return text.slice(0, at) + (change === 'remove' ? '' : character) + text.slice(change === 'insert' ? at : at + 1)
  })

test('accepts the documents that JSON.parse accepts, and rejects the others with a JsonSyntaxError', () => {
  void fc.assert(
    fc.property(fc.oneof(document, brokenDocument), (text) => {
      let problem: unknown
      try {
        parseJsonText(Buffer.from(text))
      } catch (error) {
        problem = error
      }
      if (isJson(text)) expect(problem).toBeUndefined()
      else expect(problem).toBeInstanceOf(JsonSyntaxError)
    }),
    { ...RUNS, numRuns: 10_000 },
  )
})

test('finds the values that JSON.parse finds', () => {
  void fc.assert(
    fc.property(document, (text) => {
      expect(readValue(parseJsonText(Buffer.from(text)))).toEqual(wellFormed(JSON.parse(text)))
    }),
    RUNS,
  )
})

test('reads an object as members that together are all of its bytes', () => {
  void fc.assert(
    fc.property(
      document.filter((text) => text.trimStart().startsWith('{')),
      (text) => {
        const { bytes } = parseJsonText(Buffer.from(text))
        const members = [...readMembers(bytes, 0)]
        const joined = members.map(({ start, end }) => bytes.toString('utf8', start, end)).join(',')
        if (members.length > 0) expect(`{${joined}}`).toBe(bytes.toString())
        for (const { name, start, end } of members) {
          expect(wellFormed(JSON.parse(`{${bytes.toString('utf8', start, end)}}`))).toHaveProperty([name])
        }
      },
    ),
    RUNS,
  )
})

test('reads the strings that JSON.parse finds, each byte with its position', () => {
  void fc.assert(
    fc.property(document, (text) => {
      const json = Buffer.from(text)
      const strings = readJsonStrings(json)
      expect(strings.map(({ bytes }) => decodeSource(bytes))).toEqual(stringsOf(parseJsonText(json)))
      for (const string of strings) {
        const { bytes, offsets } = string
        expect(offsets.length).toBe(bytes.length + 1)
        expect(json.toString('latin1', endOf(string), endOf(string) + 1)).toBe('"')
        for (const [index, byte] of [...bytes].entries()) {
          const written = json.toString('latin1', offsets[index], (offsets[index] ?? 0) + 1)
          if (written !== '\\') expect(written).toBe(byte)
        }
      }
    }),
    RUNS,
  )
})

test('compacts a document to the tokens that it consists of', () => {
  void fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 1, 4), (value, indent) => {
      const text = parseJsonText(Buffer.from(JSON.stringify(value, null, indent)))
      expect(compactJson(text).toString()).toBe(JSON.stringify(value))
    }),
    RUNS,
  )
})

test('needs no call stack for nested containers', () => {
  const nested = parseJsonText(Buffer.from(`{"a":${'['.repeat(9_999)}${']'.repeat(9_999)}}`))
  expect([...nested.fields()].map(([name, value]) => [name, value.bytes.length])).toEqual([['a', 2 * 9_999]])
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** The JavaScript value of a JsonText, built from its fields and items. Of fields with one name the last one counts. */
function readValue(text: JsonText): unknown {
  if (text.kind === 'object')
    return Object.fromEntries([...text.fields()].map(([name, value]) => [name, readValue(value)]))
  if (text.kind === 'array') return [...text.items()].map(readValue)
  return text.kind === 'string' ? text.string() : JSON.parse(text.bytes.toString())
}

/** All strings in a JsonText in their order, with keys. */
function stringsOf(text: JsonText): string[] {
  if (text.kind === 'object') return [...text.fields()].flatMap(([name, value]) => [name, ...stringsOf(value)])
  if (text.kind === 'array') return [...text.items()].flatMap(stringsOf)
  return text.kind === 'string' ? [text.string()] : []
}

/** A copy of a value in which each lone surrogate is replaced by U+FFFD. */
function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed()
  if (Array.isArray(value)) return value.map(wellFormed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name.toWellFormed(), wellFormed(item)]))
}
