import { describe, expect, test } from 'vitest'
import { fc } from '../../tests/support/fast-check.ts'
import { JsonSyntaxError } from './json-syntax-error.ts'
import { compactJson, parseJsonText, readJsonText } from './json-text.ts'

const parse = (text: string | Buffer) => parseJsonText(Buffer.from(text))

describe('parseJsonText', () => {
  test('accepts the same texts as JSON.parse', () => {
    // The texts are made of tokens of JSON's grammar, so that many of them are nearly valid.
    const unit = fc.constantFrom(...'{}[]",:0123456789.eE+-truefalsn \\u/bd\n\t', 'null', 'true', '"a"', '\\u00e9')
    void fc.assert(
      fc.property(fc.oneof(fc.string({ unit, maxLength: 12 }), fc.json()), (text) => {
        expect(isAccepted(() => parse(text))).toBe(isAccepted(() => JSON.parse(text)))
      }),
      { numRuns: 5000 },
    )
  })

  test('keeps the bytes of a value, without the space around it', () => {
    expect(parse(' \n{"a" : 1.0} \t').bytes.toString()).toBe('{"a" : 1.0}')
  })

  test.each([
    ['a byte order mark', '\ufeff{}'],
    ['a form feed as space', '\f{}'],
    ['a control character in a string', '"a\u0001"'],
    ['a leading zero', '01'],
    ['a number without a digit behind its dot', '1.'],
    ['a trailing comma', '[1,]'],
    ['a second value', '{}{}'],
    ['nothing', '  '],
  ])('refuses %s', (_, text) => {
    expect(() => parse(text)).toThrow(JsonSyntaxError)
  })

  test('accepts at most 10,000 levels, as Go does', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
    expect(parse(nested(10_000)).kind).toBe('array')
    for (const levels of [10_001, 1_000_000]) expect(() => parse(nested(levels))).toThrow(JsonSyntaxError)
  })
})

describe('a value', () => {
  test('has its fields in their order, with duplicates and decoded names', () => {
    const fields = [...parse('{"b": [1, 2] ,"\\u0061":{"x":"}"},"b":null,"__proto__":1}').fields()]
    expect(fields.map(([name, value]) => [name, value.bytes.toString()])).toEqual([
      ['b', '[1, 2]'],
      ['a', '{"x":"}"}'],
      ['b', 'null'],
      ['__proto__', '1'],
    ])
  })

  test('has the items that JSON.parse finds', () => {
    void fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom(0, 2), (items, indent) => {
        const read = [...parse(JSON.stringify(items, null, indent)).items()]
        expect(read.map((item) => JSON.parse(item.bytes.toString()))).toEqual(JSON.parse(JSON.stringify(items)))
      }),
    )
  })

  test.each([
    ['"\\ud83d\\ude00"', '😀'],
    ['"\\ud83dx"', '\ufffdx'],
    ['"\\ude00"', '\ufffd'],
    ['"\\/\\b\\f\\n\\r\\t\\"\\\\"', '/\b\f\n\r\t"\\'],
  ])('%s is the string that Go decodes', (text, string) => {
    expect(parse(text).string()).toBe(string)
  })

  test('that is a string has U+FFFD for invalid UTF-8', () => {
    expect(parse(Buffer.from([0x22, 0x61, 0xff, 0x62, 0x22])).string()).toBe('a\ufffdb')
    expect(parse(Buffer.from([0x22, 0xff, 0x5c, 0x6e, 0x22])).string()).toBe('\ufffd\n')
  })
})

test('readJsonText reads values in a row, with or without space between them', () => {
  const source = Buffer.from('{}[1]\n"a"null 5 ')
  const read: string[] = []
  for (let next = readJsonText(source, 0); next; next = readJsonText(source, next.end)) {
    read.push(next.text.bytes.toString())
  }
  expect(read).toEqual(['{}', '[1]', '"a"', 'null', '5'])
})

test('compactJson removes only insignificant space', () => {
  const text = ' { "a b" : [ 1.0 , 1E+3 , -0 , 123456789012345678901 ] ,\n"a b":"\\u00e9 \\" x" } '
  expect(compactJson(parse(text)).toString()).toBe('{"a b":[1.0,1E+3,-0,123456789012345678901],"a b":"\\u00e9 \\" x"}')
})

function isAccepted(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch {
    return false
  }
}
