import { expect, test } from 'vitest'
import { parseClickhouseDsn } from './clickhouse-address.ts'

test.each([
  ['tcp://127.0.0.1:9000', false, 'http://127.0.0.1:8123'],
  ['tcp://127.0.0.1:9003', false, 'http://127.0.0.1:8126'],
  ['tcp://click', false, 'http://click:8123'],
  ['tcp://click:9440', false, 'https://click:8443'],
  ['tcp://click:9000', true, 'https://click:8443'],
  ['tcp://[::1]:9000', false, 'http://[::1]:8123'],
  ['tcp://click:9000/centrifugo?dial_timeout=10s', false, 'http://click:8123'],
])('%s (TLS: %s) is used as %s', (dsn, hasTls, url) => {
  expect(parseClickhouseDsn(dsn, hasTls)).toMatchObject({ url, nativeUrl: expect.stringMatching(/^tcp:/) })
})

test.each([
  ['http://click:8123', false, 'http://click:8123'],
  ['http://click', false, 'http://click:8123'],
  ['https://click', false, 'https://click:8443'],
  ['http://click:8443/', true, 'https://click:8443'],
])('%s (TLS: %s) is %s', (dsn, hasTls, url) => {
  expect(parseClickhouseDsn(dsn, hasTls)).toMatchObject({ url, nativeUrl: undefined })
})

test('credentials are decoded and not part of the addresses', () => {
  expect(parseClickhouseDsn('tcp://me:p%40ss@click:9000', false)).toEqual({
    url: 'http://click:8123',
    nativeUrl: 'tcp://click:9000',
    user: 'me',
    password: 'p@ss',
  })
  expect(parseClickhouseDsn('http://click', false)).toMatchObject({ user: 'default', password: '' })
})

test.each(['', 'click:9000', 'clickhouse://click', 'http://click/path', 'http://click?a=b', 'tcp://a:%zz@click'])(
  '%s is no DSN of ClickHouse',
  (dsn) => {
    expect(parseClickhouseDsn(dsn, false)).toBeUndefined()
  },
)
