import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parseConfig } from '../../src/config/load.ts'
import { ApnsProvider } from '../../src/providers/apns/apns.ts'
import { loadClientCertificate, loadSigningKey } from '../../src/providers/apns/load-credential.ts'
import type { Outcome } from '../../src/providers/provider.ts'
import { makeDeviceToken } from '../../src/simulators/apns/device-name.ts'
import { startApnsSimulator, type TestApnsSimulator } from '../support/apns-simulator.ts'
import { makeClientCertificate } from '../support/client-certificate.ts'
import { makeTestLogger } from '../support/run-log.ts'

const BUNDLE = 'com.example.app'
const PASSWORD = 'secret-password'
const issued = makeClientCertificate(BUNDLE, PASSWORD)

let apns: TestApnsSimulator
let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'centripush-p12-'))
  await writeFile(join(directory, 'app.p12'), issued.p12)
})
afterAll(() => rm(directory, { recursive: true }))
beforeEach(async () => {
  apns = await startApnsSimulator({ clientCa: issued.caCert })
})
afterEach(() => apns.stop())

function parseOptions(options: Record<string, string>) {
  return parseConfig({ push_notifications: { apns: { bundle_id: BUNDLE, ...options } } }).push_notifications.apns
}

function loadCertificate(options: Record<string, string>) {
  return loadClientCertificate(parseOptions({ auth_type: 'cert', ...options }))
}

async function sendWith(options: Record<string, string>, targets: string[]): Promise<Outcome[]> {
  const provider = new ApnsProvider({
    endpoint: apns.simulator.origin,
    bundleId: BUNDLE,
    auth: { kind: 'certificate', certificate: loadCertificate(options) },
    ca: apns.ca,
    logger: makeTestLogger(),
  })
  const outcomes: Outcome[] = []
  const notification = { json: Buffer.from('{"aps":{"alert":"hi"}}'), headers: new Map<string, string>() }
  const batch = { uid: 'u', notification, targetKind: 'token' as const, targets: targets.map(makeDeviceToken) }
  await provider.send(batch, (_, outcome) => outcomes.push(outcome), new AbortController().signal)
  await provider.close()
  return outcomes
}

describe('a certificate for APNs', () => {
  it.each([
    ['a file', () => ({ cert_p12_file: join(directory, 'app.p12') })],
    ['base64', () => ({ cert_p12_b64: issued.p12.toString('base64') })],
  ])('given as %s authenticates the sender without tokens', async (_what, options) => {
    const targets = Array.from({ length: 300 }, (_, i) => `token-${i}`)
    const outcomes = await sendWith({ ...options(), cert_p12_password: PASSWORD }, targets)
    expect(outcomes).toHaveLength(300)
    for (const outcome of outcomes) expect(outcome.kind).toBe('sent')
    expect(apns.simulator.providerTokens).toEqual([])
  })

  it('of an authority that APNs does not trust is a refused credential', async () => {
    const untrusted = makeClientCertificate(BUNDLE, PASSWORD)
    const options = { cert_p12_b64: untrusted.p12.toString('base64'), cert_p12_password: PASSWORD }
    expect(await sendWith(options, ['a-1', 'b-1'])).toEqual([
      { kind: 'credential', reason: 'BadCertificate' },
      { kind: 'credential', reason: 'BadCertificate' },
    ])
  })

  it.each([
    [
      'another password',
      { cert_p12_b64: issued.p12.toString('base64'), cert_p12_password: 'other' },
      /cert_p12_b64.*password/,
    ],
    ['no PKCS #12', { cert_p12_b64: 'bm90IG9uZQ==' }, /cert_p12_b64: not a PKCS #12/],
    ['no file', { cert_p12_file: '/nowhere/app.p12' }, /cert_p12_file: .* does not exist/],
  ])('with %s is an error that names the option and quotes no secret', (_what, options, message) => {
    expect(() => loadCertificate(options)).toThrow(message)
    expect(() => loadCertificate(options)).not.toThrow(/other|secret-password/)
  })
})

describe('the key for provider tokens', () => {
  const ids = { auth_type: 'token', token_key_id: 'KEY0000001', token_team_id: 'TEAM000001' }

  it('is read from a file or from the configuration', async () => {
    const { tokenKey } = apns.simulator.files
    const fromFile = loadSigningKey(parseOptions({ ...ids, token_key_file: tokenKey }))
    const pem = apns.key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const inline = loadSigningKey(parseOptions({ ...ids, token_key_pem: pem.replaceAll('\n', '\\n') }))
    for (const key of [fromFile, inline]) expect(key.fingerprint).toBe(apns.key.fingerprint)
  })

  it('that is not valid is an error that names the option', () => {
    const options = parseOptions({ ...ids, token_key_file: join(directory, 'app.p12') })
    expect(() => loadSigningKey(options)).toThrow(/token_key_file: not a private key/)
  })
})
