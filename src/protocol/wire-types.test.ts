import { describe, expect, test } from 'vitest'
import { DecodeError, decodeMessage } from './decode-message.ts'
import {
  bool,
  int32,
  int64,
  message,
  messageMap,
  rawJson,
  repeated,
  string,
  stringMap,
  strings,
  uint32,
  uint64,
} from './wire-types.ts'

const Inner = message({ name: string })
const Message = message({
  text: string,
  skip_me: bool,
  small: int32,
  big: int64,
  count: uint32,
  version: uint64,
  raw: rawJson,
  list: strings,
  map: stringMap,
  inner: repeated(Inner),
  inners: messageMap(Inner, 3),
})

const ZERO = {
  text: '',
  skip_me: false,
  small: 0,
  big: 0,
  count: 0,
  version: 0,
  list: [],
  map: new Map(),
  inner: [],
  inners: new Map(),
}
const decode = (body: string) => decodeMessage(Message, Buffer.from(body))

test.each([
  ['null', 'null'],
  ['no fields', '{}'],
  ['fields that are null', `{${[...Object.keys(ZERO), 'raw'].map((name) => `"${name}":null`).join(',')}}`],
  ['unknown fields', '{"other":1,"__proto__":{"text":"x"},"constructor":[]}'],
  ['a name in camel case, which is unknown', '{"skipMe":true}'],
])('%s is the zero message', (_, body) => {
  expect(decode(body)).toEqual(ZERO)
})

test.each([
  ['in another case', '{"TEXT":"a"}'],
  ['written with escapes', '{"\\u0074ext":"a"}'],
  ['twice, and its last value is used', '{"text":"b","Text":"a"}'],
])('a field is found %s', (_, body) => {
  expect(decode(body).text).toBe('a')
})

test.each(['\u017fkip_me', 's\u212aip_me', 'SKIP_ME'])('the name %s folds to an ASCII one, as in Go', (name) => {
  expect(decode(`{"${name}":true}`).skip_me).toBe(true)
})

describe('integers', () => {
  test.each([
    ['small', -(2 ** 31), 2 ** 31],
    ['count', 0, 2 ** 32],
  ])('%s has the range of its type', (name, min, tooLarge) => {
    expect(decode(`{"${name}":${min}}`)).toMatchObject({ [name]: min })
    expect(decode(`{"${name}":${tooLarge - 1}}`)).toMatchObject({ [name]: tooLarge - 1 })
    expect(() => decode(`{"${name}":${tooLarge}}`)).toThrow(DecodeError)
    expect(() => decode(`{"${name}":${min - 1}}`)).toThrow(DecodeError)
  })

  test.each([
    ['big', '9223372036854775807', '9223372036854775808'],
    ['big', '-9223372036854775808', '-9223372036854775809'],
    ['version', '18446744073709551615', '18446744073709551616'],
    ['version', '0', '-0'],
    ['small', '-0', '1.0'],
    ['small', '10', '1e1'],
  ])('%s accepts %s and refuses %s', (name, taken, refused) => {
    expect(decode(`{"${name}":${taken}}`)).toMatchObject({ [name]: Number(BigInt(taken)) })
    expect(() => decode(`{"${name}":${refused}}`)).toThrow(DecodeError)
  })
})

test.each([
  ['an array for a message', '[]', 'body: expected an object but found array'],
  ['a number for a string', '{"text":5}', 'text: expected a string but found number'],
  ['a string for a number', '{"small":"5"}', 'small: '],
  ['a number for a boolean', '{"skip_me":1}', 'skip_me: '],
  ['an item of another type', '{"list":["a",1]}', 'list.1: expected a string but found number'],
  ['a value of another type', '{"map":{"a":"b","k":{}}}', 'map.k: expected a string but found object'],
  ['a list for a map', '{"map":[]}', 'map: expected an object of strings but found array'],
  ['a text for a list', '{"list":"a"}', 'list: expected a list of strings but found string'],
  ['a field of a nested message', '{"inner":[{},{"name":1}]}', 'inner.1.name: expected a string but found number'],
  ['a field in a map of messages', '{"inners":{"k":{"name":1}}}', 'inners.k.name: expected a string but found number'],
  ['a value in a map of messages', '{"inners":{"k":1}}', 'inners.k: expected an object but found number'],
  ['too many entries', '{"inners":{"a":{},"b":{},"c":{},"d":{}}}', 'inners: expected at most 3 fields but found more'],
  ['no JSON', '{', 'at byte 1'],
])('%s is refused, and the error names the place', (_, body, where) => {
  expect(() => decode(body)).toThrow(DecodeError)
  expect(() => decode(body)).toThrow(where)
})

test('an error never contains the value', () => {
  expect(() => decode('{"list":{"secret":1}}')).toThrow(/^(?!.*secret)/)
  expect(() => decode('{"small":"secret"}')).toThrow(/^(?!.*secret)/)
})

test('nulls in lists and maps are zero values, and any key of a map is allowed', () => {
  expect(decode('{"list":["a",null],"map":{"__proto__":null},"inner":[null],"inners":{"k":null}}')).toMatchObject({
    list: ['a', ''],
    map: new Map([['__proto__', '']]),
    inner: [{ name: '' }],
    inners: new Map([['k', { name: '' }]]),
  })
})

test('a map with more entries than its limit is refused, also if names are equal', () => {
  const body = (...keys: string[]) => `{"inners":{${keys.map((key) => `"${key}":{"name":"x"}`).join(',')}}}`
  expect([...decode(body('a', 'b', 'a')).inners.keys()]).toEqual(['a', 'b'])
  for (const keys of [
    ['a', 'b', 'c', 'd'],
    ['a', 'a', 'a', 'a'],
  ])
    expect(() => decode(body(...keys))).toThrow(DecodeError)
})

test('a map of strings may have 100,000 entries', () => {
  const body = (count: number) => `{"map":{${Array.from({ length: count }, (_, i) => `"${i}":""`).join(',')}}}`
  expect(decode(body(100_000)).map.size).toBe(100_000)
  expect(() => decode(body(100_001))).toThrow(DecodeError)
})

test('a list of messages may have 1000 items', () => {
  const body = (count: number) => `{"inner":[${Array(count).fill('null').join(',')}]}`
  expect(decode(body(1000)).inner).toHaveLength(1000)
  expect(() => decode(body(1001))).toThrow(DecodeError)
})

describe('more than 2,000,000 fields and items are refused', () => {
  const count = 2_000_001
  const manyFields = `{${'"":1,'.repeat(count)}"":1}`
  const manyItems = `[${'"",'.repeat(count)}""]`
  const half = `[${'"",'.repeat(count / 2)}""]`
  test.each([
    ['unknown fields', manyFields],
    ['fields of a nested message', `{"inner":[${manyFields}]}`],
    ['strings of a list', `{"list":${manyItems}}`],
    ['entries of several lists', `{"list":${half},"Unknown":1,"inner":[${`{${'"a":1,'.repeat(count / 2)}"b":1}`}]}`],
  ])('%s', (_, body) => {
    expect(() => decode(body)).toThrow(new DecodeError('more than 2000000 fields and items'))
  })

  test('unless they are in values that are not decoded', () => {
    expect(decode(`{"raw":${manyFields},"unknown":${manyItems},"small":1}`)).toMatchObject({ small: 1 })
  })
})

test('a raw value keeps its bytes', () => {
  const raw = '{ "n":12345678901234567890, "n":1.0 }'
  expect(decode(`{"raw": ${raw} }`).raw?.bytes.toString()).toBe(raw)
})
