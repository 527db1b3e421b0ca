// The endpoint of the RPC proxy without a key: the port requires client certificates (mTLS).

import { once } from 'node:events'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ConfigError } from '../../src/config/config-error.ts'
import { makeCertificates } from '../../src/simulators/certificates.ts'
import { startAssembly, type TestAssembly } from '../support/assembly.ts'
import { makeClientCertificate } from '../support/client-certificate.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { PROXY_KEY } from './realtime-rig.ts'

const CALL = JSON.stringify({ user: '42', method: 'push:ack', data: { uids: ['m1'] } })
const node = makeClientCertificate('node', 'password')
const stranger = makeClientCertificate('stranger', 'password')

let database: TestDatabase
let server: TestAssembly
let ca: string
beforeAll(async () => {
  database = await createTestDatabase()
  const { caCert, cert, key } = await makeCertificates()
  ca = caCert
  server = await startAssembly(database.dsn, {
    http_server: { tls: { enabled: true, cert_pem: cert, key_pem: key, client_ca_pem: node.caCert } },
    rpc_proxy: { client_certificates: true },
  })
})
afterAll(async () => {
  await server.stop(0)
  await database.drop()
})

async function call(certificate: { p12: Buffer; password: string } | undefined): Promise<string> {
  const identity = certificate && { pfx: certificate.p12, passphrase: certificate.password }
  const outgoing = request(`${server.url}/proxy/rpc`, { method: 'POST', ca, ...identity })
  outgoing.end(CALL)
  const [answer] = await once(outgoing, 'response')
  return text(answer)
}

test('a call with a certificate of the authority is accepted without a key', async () => {
  expect(await call(node)).toBe('{"result":{"data":{}}}')
})

test.each([
  ['without a certificate', undefined],
  ['with a certificate of another authority', stranger],
])('a call %s does not get through', async (_, certificate) => {
  await expect(call(certificate)).rejects.toThrow()
})

test('the option needs a port that requires certificates', async () => {
  const starting = startAssembly(database.dsn, { rpc_proxy: { client_certificates: true } })
  await expect(starting).rejects.toThrow(ConfigError)
  await expect(starting).rejects.toThrow('rpc_proxy.client_certificates: needs TLS with client_ca_pem')
})

test('the endpoint is off without a key and without certificates, and its key is not the API key', async () => {
  const off = await startAssembly(database.dsn)
  const headers = { 'x-centripush-proxy-key': PROXY_KEY }
  expect((await fetch(`${off.url}/proxy/rpc`, { method: 'POST', headers, body: CALL })).status).toBe(404)
  expect((await fetch(`${off.url}/push/ack`, { method: 'POST' })).status).toBe(404)
  await off.stop(0)
  const same = startAssembly(database.dsn, { http_api: { key: 'same' }, rpc_proxy: { key: 'same' } })
  await expect(same).rejects.toThrow('rpc_proxy.key: is also http_api.key')
})

test('HTTP needs a key of tokens, and refuses checks that it does not make', async () => {
  const client_push = { http_enabled: true }
  const start = (token: object) => startAssembly(database.dsn, { client_push, client: { token } })
  await expect(start({})).rejects.toThrow('client.token: needs one of')
  const secret = { hmac_secret_key: 's' }
  await expect(start({ ...secret, audience_regex: 'a' })).rejects.toThrow(
    'client.token.audience_regex: is not supported',
  )
  const jwks = { jwks_public_endpoint: 'https://example.com/{{tenant}}/keys' }
  await expect(start(jwks)).rejects.toThrow('client.token.jwks_public_endpoint: expected a URL without {}')
  await expect(start({ rsa_public_key: '-----BEGIN PUBLIC KEY-----' })).rejects.toThrow("a public key can't be read")
})
