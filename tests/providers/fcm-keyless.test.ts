// Credentials for FCM without a key file: each gets its token from the service that Google names, and renews it.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { parseConfig } from '../../src/config/load.ts'
import { FcmProvider } from '../../src/providers/fcm/fcm.ts'
import { loadFcmAccount } from '../../src/providers/fcm/load-account.ts'
import { TokenExchange } from '../../src/providers/fcm/token-exchange.ts'
import { makeDirectory } from '../cli/command.ts'
import { loadServiceAccount, startFcmSimulator, type TestFcmSimulator } from '../support/fcm-simulator.ts'
import { type GoogleStandIn, startGoogleStandIn } from '../support/google-tokens.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { kindsOf, sendBatch, tokens } from '../support/send-batch.ts'

const LIFE_SECONDS = 3600

let fcm: TestFcmSimulator
let exchange: TokenExchange
let google: GoogleStandIn
let projectId: string

beforeAll(async () => {
  fcm = await startFcmSimulator()
  const account = await loadServiceAccount(fcm.simulator.files.credentials)
  projectId = account.projectId
  exchange = new TokenExchange({ serviceAccount: account, authEndpoint: fcm.simulator.origin, ca: fcm.ca })
})
afterAll(async () => {
  await exchange.close()
  await fcm.stop()
})
beforeEach(async () => {
  google = await startGoogleStandIn(async () => {
    const { accessToken } = await exchange.exchange(Date.now())
    return { accessToken, lifeSeconds: LIFE_SECONDS }
  })
  // Nothing of this machine is found: neither the file of gcloud, nor a real metadata server.
  vi.stubEnv('HOME', '/nonexistent')
  vi.stubEnv('CLOUDSDK_CONFIG', '')
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '')
  vi.stubEnv('GCE_METADATA_HOST', google.host)
  vi.stubEnv('METADATA_SERVER_DETECTION', 'none')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await google.stop()
})

const user = { type: 'authorized_user', client_id: 'c', client_secret: 's', refresh_token: 'r' }
const federation = () => ({
  type: 'external_account',
  audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  token_url: `${google.origin}/sts`,
  credential_source: { url: `${google.origin}/subject-token` },
})
const impersonation = () => `${google.origin}/v1/projects/-/serviceAccounts/push@shop.example:generateAccessToken`

/** Opens a provider with the options of the section `fcm`. @param nowMs the clock of its tokens */
async function open(options: object, nowMs: () => number = Date.now): Promise<FcmProvider> {
  const endpoints = { push_endpoint: fcm.simulator.origin, ca_file: fcm.simulator.files.ca }
  const section = parseConfig({ push_notifications: { fcm: { ...endpoints, ...options } } }).push_notifications.fcm
  const tokenOptions = { ...section, auth_endpoint: google.origin }
  return new FcmProvider({
    account: await loadFcmAccount(tokenOptions, fcm.ca),
    pushEndpoint: section.push_endpoint,
    authEndpoint: google.origin,
    ca: fcm.ca,
    nowMs,
    logger: makeTestLogger(),
  })
}

async function push(provider: FcmProvider) {
  const notification = { json: Buffer.from('{"data":{"a":"b"}}'), headers: new Map<string, string>() }
  return await sendBatch(provider, { uid: 'u', notification, targetKind: 'token', targets: tokens(3) })
}

const CREDENTIALS: [what: string, options: () => object, path: RegExp, environment?: () => Record<string, string>][] = [
  [
    'the metadata server',
    () => ({}),
    /\/service-accounts\/default\/token$/,
    () => ({ METADATA_SERVER_DETECTION: 'ping-only' }),
  ],
  ['a file of gcloud', () => ({ credentials_json: JSON.stringify(user) }), /^\/token$/],
  ['workload identity federation', () => ({ credentials_json: JSON.stringify(federation()) }), /^\/sts$/],
  [
    'federation with impersonation',
    () => ({
      credentials_json: JSON.stringify({ ...federation(), service_account_impersonation_url: impersonation() }),
    }),
    /:generateAccessToken$/,
  ],
  [
    'GOOGLE_APPLICATION_CREDENTIALS',
    () => ({}),
    /^\/sts$/,
    () => ({ GOOGLE_APPLICATION_CREDENTIALS: fileWith(JSON.stringify(federation())) }),
  ],
]

function fileWith(content: string): string {
  const file = join(makeDirectory(), 'credential.json')
  writeFileSync(file, content)
  return file
}

test.each(CREDENTIALS)(
  '%s gives a token, and another one before its end',
  async (_what, options, path, environment) => {
    for (const [name, value] of Object.entries(environment?.() ?? {})) vi.stubEnv(name, value)
    let nowMs = Date.now()
    const provider = await open({ project_id: projectId, ...options() }, () => nowMs)
    const grants = () => google.requests.filter((request) => path.test(request.path)).length
    expect(kindsOf(await push(provider))).toEqual(['sent'])
    expect(kindsOf(await push(provider))).toEqual(['sent'])
    expect(grants()).toBe(1)
    nowMs += LIFE_SECONDS * 1000
    expect(kindsOf(await push(provider))).toEqual(['sent'])
    expect(grants()).toBe(2)
    await provider.close()
  },
)

test('a token that FCM refuses is replaced at once', async () => {
  const provider = await open({ project_id: projectId, credentials_json: JSON.stringify(user) })
  expect(kindsOf(await push(provider))).toEqual(['sent'])
  fcm.simulator.revokeAccessTokens()
  expect(kindsOf(await push(provider))).toEqual(['sent'])
  expect(google.requests).toHaveLength(2)
  await provider.close()
})

test.each([
  [400, { kind: 'credential', reason: 'oauth_refused' }],
  [403, { kind: 'credential', reason: 'oauth_refused' }],
  [500, { kind: 'retry', reason: 'oauth_unavailable' }],
])('an answer %i of the service is told apart', async (status, outcome) => {
  const provider = await open({ project_id: projectId, credentials_json: JSON.stringify(user) })
  google.refuse(status)
  const outcomes = await push(provider)
  expect([...outcomes.values()][0]).toMatchObject(outcome)
  await provider.close()
})

test('a file of the federation that is missing later could not be used here, and no service has refused it', async () => {
  const source = { file: '/nonexistent/token' }
  const json = JSON.stringify({ ...federation(), credential_source: source })
  const provider = await open({ project_id: projectId, credentials_json: json })
  const outcomes = await push(provider)
  expect([...outcomes.values()][0]).toMatchObject({ kind: 'credential', reason: 'credential_unusable' })
  expect(google.requests).toEqual([])
  await provider.close()
})

test.each([
  ['nothing', {}, /fcm\.project_id: .*Could not load the default credentials/],
  [
    'a missing file',
    { GOOGLE_APPLICATION_CREDENTIALS: '/no/adc.json' },
    /GOOGLE_APPLICATION_CREDENTIALS.*\/no\/adc\.json/,
  ],
])('application default credentials with %s stop the start', async (_what, environment, problem) => {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
  await expect(open({ project_id: projectId })).rejects.toThrow(problem)
})
