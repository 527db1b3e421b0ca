import { expect, test } from 'vitest'
import { readTable } from './reply-table.ts'

const bytes = (text: string) => Buffer.from(text)

test('rows are read by the names in the header, whatever the order of the columns', () => {
  const reply = [bytes('count id kind'), [bytes('2'), bytes('a'), bytes('token')], [3, bytes('b'), bytes('topic')]]
  const rows = readTable(reply, (row) => ({
    id: row.readText('id'),
    count: row.readNumber('count'),
    kind: row.readWord('kind', ['token', 'topic']),
  }))
  expect(rows).toEqual([
    { id: 'a', count: 2, kind: 'token' },
    { id: 'b', count: 3, kind: 'topic' },
  ])
})

test('a table without rows is an empty list', () => {
  expect(readTable([bytes('id')], (row) => row.readText('id'))).toEqual([])
})

test('null is undefined where it is allowed', () => {
  const reply = [bytes('cursor'), [null], [bytes('1')]]
  expect(readTable(reply, (row) => row.readNullableText('cursor'))).toEqual([undefined, '1'])
  expect(readTable(reply, (row) => row.readNullableBytes('cursor'))).toEqual([undefined, bytes('1')])
  expect(readTable(reply, (row) => row.readNullableNumber('cursor'))).toEqual([undefined, 1])
})

test.each([
  ['no table', 'OK', 'expected a table'],
  ['a table without a header', [[1]], 'expected a table'],
  ['a row that is no array', [bytes('id'), 1], 'expected rows'],
  ['another type', [bytes('id'), [1]], 'column id of the table from a script: expected a string'],
  ['another name', [bytes('other'), [bytes('a')]], 'no column id'],
])('%s is an error', (_name, reply, message) => {
  expect(() => readTable(reply, (row) => row.readText('id'))).toThrow(message)
})

test('text that is no number, and a word that is not in the list, are errors', () => {
  const reply = [bytes('id'), [bytes('x')]]
  expect(() => readTable(reply, (row) => row.readNumber('id'))).toThrow('expected a number')
  expect(() => readTable(reply, (row) => row.readWord('id', ['a', 'b']))).toThrow('expected one of a, b')
})
