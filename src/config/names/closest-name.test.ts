import { expect, test } from 'vitest'
import { findClosestName } from './closest-name.ts'

const NAMES = ['dsn', 'http_server', 'credentials_file', 'enabled', 'db']

test.each([
  ['dns', 'dsn'],
  ['ds', 'dsn'],
  ['httpServer', 'http_server'],
  ['HTTP-SERVER', 'http_server'],
  ['credential_file', 'credentials_file'],
  ['credentials_fiel', 'credentials_file'],
  ['enable', 'enabled'],
  ['bd', 'db'],
])('%s is meant to be %s', (word, name) => {
  expect(findClosestName(word, NAMES)).toBe(name)
})

test.each(['smtp', 'xyz', 'file', 'certificates_path'])('%s is none of the names', (word) => {
  expect(findClosestName(word, NAMES)).toBeUndefined()
})

test('of equally close names the first is meant', () => {
  expect(findClosestName('tls_ex', ['tls_ca', 'tls_cb', 'tls_e'])).toBe('tls_e')
  expect(findClosestName('tl', ['tls', 'tln'])).toBe('tls')
})
