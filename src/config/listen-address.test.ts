import { expect, test } from 'vitest'
import { parseConfig } from './load.ts'

test('a server with an IPv6 address in brackets listens on the address', () => {
  const { http_server } = parseConfig({ http_server: { address: '[::]', internal_address: '[::1]' } })
  expect([http_server.address, http_server.internal_address]).toEqual(['::', '::1'])
})

test.each(['0.0.0.0', '127.0.0.1', '::', 'fe80::1%eth0', 'localhost', 'push.example.com', ''])(
  'a server listens on the address "%s"',
  (address) => {
    expect(parseConfig({ http_server: { address } }).http_server.address).toBe(address)
  },
)

test.each(['0.0.0.0:8000', '*', ':8000', '[::]:8000', 'http://0.0.0.0', '127.0.0.1 ', '[::', 'a/b'])(
  '"%s", which is no address to listen on, is refused',
  (address) => {
    expect(() => parseConfig({ http_server: { address } })).toThrow(
      `http_server.address: expected an address such as "0.0.0.0" or "::", without a port, but found`,
    )
  },
)
