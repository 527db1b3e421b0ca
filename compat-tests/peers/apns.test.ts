// The same notification sent by centripush and by @parse/node-apn: APNs and the device must receive the same.
import { generateKeyPairSync } from 'node:crypto'
import { Provider as NodeApn, Notification } from '@parse/node-apn'
import { decodeJwt, decodeProtectedHeader, importSPKI, jwtVerify } from 'jose'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { ApnsProvider } from '../../src/providers/apns/apns.ts'
import { parseSigningKey } from '../../src/providers/apns/signing-key.ts'
import type { Outcome } from '../../src/providers/provider.ts'
import { makeCertificates } from '../../src/simulators/certificates.ts'
import type { SimulatedRequest } from '../../src/simulators/simulated-request.ts'
import { SimulatorServer } from '../../src/simulators/simulator-server.ts'
import { LocalCredentialCache } from '../../tests/support/local-credential-cache.ts'
import { makeTestLogger } from '../../tests/support/run-log.ts'

const BUNDLE = 'com.example.app'
const TEAM = 'TEAM000001'
const KEY_ID = 'KEY0000001'
const DEVICE = 'ab'.repeat(32)

const signing = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

let server: SimulatorServer
let ours: ApnsProvider
let theirs: NodeApn
const requests: SimulatedRequest[] = []

beforeAll(async () => {
  const { caCert: ca, cert, key } = await makeCertificates()
  server = new SimulatorServer({
    cert,
    key,
    maxConcurrentStreams: 100,
    slowMs: 0,
    handle: (request) => {
      requests.push(request)
      return { answer: { status: 200, headers: {}, body: '' } }
    },
  })
  await server.listen(0)
  ours = new ApnsProvider({
    endpoint: server.origin,
    bundleId: BUNDLE,
    auth: {
      kind: 'token',
      key: parseSigningKey(signing.privateKey, KEY_ID, TEAM),
      cache: new LocalCredentialCache(),
    },
    ca,
    logger: makeTestLogger(),
  })
  theirs = new NodeApn({
    // node-apn connects to the port and sends the address as authority.
    address: new URL(server.origin).host,
    port: Number(new URL(server.origin).port),
    ca: [ca],
    token: { key: signing.privateKey, keyId: KEY_ID, teamId: TEAM },
    production: true,
  })
})

afterAll(async () => {
  await theirs.shutdown()
  await ours.close()
  await server.stop()
})

beforeEach(() => {
  requests.length = 0
})

async function sendOurs(payload: object, headers: Record<string, string> = {}): Promise<SimulatedRequest> {
  const notification = { json: Buffer.from(JSON.stringify(payload)), headers: new Map(Object.entries(headers)) }
  const outcomes: Outcome[] = []
  const batch = { uid: 'a-uid', notification, targetKind: 'token' as const, targets: [DEVICE] }
  await ours.send(batch, (_, outcome) => outcomes.push(outcome), new AbortController().signal)
  expect(outcomes).toMatchObject([{ kind: 'sent' }])
  return takeRequest()
}

async function sendTheirs(payload: object, settings: Partial<Notification>): Promise<SimulatedRequest> {
  const notification = Object.assign(new Notification(), { rawPayload: payload }, settings)
  expect((await theirs.send(notification, DEVICE)).failed).toEqual([])
  return takeRequest()
}

function takeRequest(): SimulatedRequest {
  const request = requests.shift()
  if (!request) throw new Error('no request received')
  return request
}

/** The relevant parts of a request: without random ids, and without lengths, which belong to HTTP. */
function comparableParts({ method, path, headers, body }: SimulatedRequest) {
  const apns = Object.entries(headers).filter(([name]) => name.startsWith('apns-') && name !== 'apns-id')
  return {
    method,
    path,
    body: JSON.parse(body.toString()),
    // 10 is APNs' default.
    headers: { 'apns-priority': '10', ...Object.fromEntries(apns) },
    scheme: headers[':scheme'],
    authority: headers[':authority'],
  }
}

test.each([
  [
    'an alert',
    { aps: { alert: { title: 'Grüße', body: '👋' }, sound: 'default', badge: 3 }, order: 7 },
    { 'apns-expiration': '1900000000', 'apns-priority': '10', 'apns-collapse-id': 'order-7' },
    { topic: BUNDLE, pushType: 'alert', expiry: 1_900_000_000, priority: 10, collapseId: 'order-7' },
  ],
  [
    'a wake-up',
    { aps: { 'content-available': 1 }, sync: true },
    { 'apns-collapse-id': 'sync' },
    { topic: BUNDLE, pushType: 'background', priority: 5, collapseId: 'sync' },
  ],
  [
    'an incoming call',
    { caller: 'Ada' },
    { 'apns-push-type': 'voip', 'apns-expiration': '0' },
    { topic: `${BUNDLE}.voip`, pushType: 'voip', expiry: 0 },
  ],
  [
    'an update of a live activity',
    { aps: { event: 'update', timestamp: 1_700_000_000, 'content-state': { score: 2 } } },
    { 'apns-priority': '5' },
    { topic: `${BUNDLE}.push-type.liveactivity`, pushType: 'liveactivity', priority: 5 },
  ],
] as const)('%s is the same request', async (_what, payload, headers, settings) => {
  const mine = comparableParts(await sendOurs(payload, headers))
  const peers = comparableParts(await sendTheirs(payload, settings))
  expect(mine).toEqual(peers)
})

test('both authenticate in the same way', async () => {
  const mine = await sendOurs({ aps: { alert: 'a' } })
  const peers = await sendTheirs({ aps: { alert: 'a' } }, { topic: BUNDLE, pushType: 'alert' })
  const publicKey = await importSPKI(signing.publicKey, 'ES256')
  for (const { headers } of [mine, peers]) {
    const token = /^bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? ''
    const { payload, protectedHeader } = await jwtVerify(token, publicKey, { issuer: TEAM, maxTokenAge: '1 minute' })
    expect(protectedHeader).toMatchObject({ alg: 'ES256', kid: KEY_ID })
    expect(Object.keys(payload).sort()).toEqual(['iat', 'iss'])
    expect([decodeJwt(token).iss, decodeProtectedHeader(token).kid]).toEqual([TEAM, KEY_ID])
  }
})
