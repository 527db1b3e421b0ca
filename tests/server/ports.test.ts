import { once } from 'node:events'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { type RequestOptions, request as requestHttps } from 'node:https'
import { type ConnectionOptions, connect } from 'node:tls'
import { generate } from 'selfsigned'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startAssembly, TEST_KEY, type TestAssembly } from '../support/assembly.ts'
import { findFreePort } from '../support/centripush-process.ts'

/** Push is disabled in these tests, so nothing connects to it. */
const NO_DATABASE = 'postgres://nowhere.invalid/none'

let server: TestAssembly
let cert: string
let key: string
beforeAll(async () => {
  const made = await generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048 })
  cert = made.cert
  key = made.private
})
afterEach(() => server.stop(0))

async function start(options: Record<string, object>): Promise<{ external: string; internal: string }> {
  server = await startAssembly(NO_DATABASE, { push_notifications: { enabled: false }, ...options })
  const [external = '', internal = ''] = server.urls
  return { external, internal }
}

async function statusOf(url: string, path: string, options: RequestOptions = {}): Promise<number | undefined> {
  const send = url.startsWith('https:') ? requestHttps : requestHttp
  const headers = { 'x-api-key': TEST_KEY }
  const outgoing = send(url + path, { method: 'POST', headers, agent: false, rejectUnauthorized: false, ...options })
  const [incoming]: IncomingMessage[] = await once(outgoing.end(), 'response')
  incoming?.resume()
  return incoming?.statusCode
}

async function statusesOf(url: string): Promise<(number | undefined)[]> {
  return Promise.all(['/api/info', '/health', '/metrics', '/connection/uni_sse'].map((path) => statusOf(url, path)))
}

/** An address without a listener: forwarded requests are answered with 502. */
const upstream = { address: 'http://127.0.0.1:1' }

describe('with an internal port', () => {
  test('API, health and metrics are on it only, and the connection endpoints on the external port', async () => {
    const http_server = { internal_address: '127.0.0.1', internal_port: await findFreePort() }
    const { external, internal } = await start({ http_server, upstream })
    expect(await statusesOf(external)).toEqual([404, 404, 404, 502])
    expect(await statusesOf(internal)).toEqual([502, 200, 200, 404])
  })

  test('the API may stay on the external port', async () => {
    const http_server = { internal_address: '127.0.0.1', internal_port: await findFreePort() }
    const { external, internal } = await start({ http_server, upstream, http_api: { external: true } })
    expect(await statusesOf(external)).toEqual([502, 404, 404, 502])
    expect(await statusesOf(internal)).toEqual([404, 200, 200, 404])
  })

  test('TLS may be on the external port only', async () => {
    const tls = { enabled: true, cert_pem: cert, key_pem: key }
    const internal_port = await findFreePort()
    const http_server = { internal_address: '127.0.0.1', internal_port, tls, tls_external: true }
    const { external, internal } = await start({ http_server })
    expect([external.slice(0, 6), internal.slice(0, 5)]).toEqual(['https:', 'http:'])
    expect([await statusOf(external, '/nosuch'), await statusOf(internal, '/health')]).toEqual([404, 200])
  })
})

describe('TLS', () => {
  function connectTo(url: string, options: ConnectionOptions) {
    const { hostname, port } = new URL(url)
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false, ...options })
    return once(socket, 'secureConnect').finally(() => socket.destroy())
  }

  test('accepts PEM in base64, and no version before 1.2', async () => {
    const encode = (pem: string) => Buffer.from(pem).toString('base64')
    const tls = { enabled: true, cert_pem: encode(cert), key_pem: encode(key) }
    const { external } = await start({ http_server: { tls } })
    expect(await statusOf(external, '/health')).toBe(200)
    await connectTo(external, { maxVersion: 'TLSv1.2' })
    await expect(
      connectTo(external, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ).rejects.toThrow(/version/)
  })

  test('with a client authority refuses clients without a certificate of it', async () => {
    const tls = { enabled: true, cert_pem: cert, key_pem: key, client_ca_pem: cert }
    const { external } = await start({ http_server: { tls } })
    await expect(statusOf(external, '/health')).rejects.toThrow()
    expect(await statusOf(external, '/health', { cert, key })).toBe(200)
  })
})

test.each([
  ['/push-api/', '/push-api/info', '/push-api'],
  ['/', '/info', '/'],
  ['', '/info', '/'],
])('the API is below its prefix %j', async (handler_prefix, method, legacy) => {
  const { external } = await start({ http_api: { handler_prefix } })
  expect([await statusOf(external, method), await statusOf(external, legacy)]).toEqual([200, 400])
  expect(await statusOf(external, '/api/info')).toBe(404)
})
