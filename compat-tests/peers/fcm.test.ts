// The same message sent by centripush and by firebase-admin: Google must receive the same. firebase-admin accepts
// Google's hosts only, so the test redirects its connections to FCM and to the OAuth endpoint to this machine.
import { generateKeyPairSync } from 'node:crypto'
import http2, { type ClientHttp2Session } from 'node:http2'
import https, { Agent } from 'node:https'
import { connect as connectTls } from 'node:tls'
import { type App, cert, deleteApp, initializeApp } from 'firebase-admin/app'
import { getMessaging, type Message } from 'firebase-admin/messaging'
import { importSPKI, jwtVerify } from 'jose'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { FcmProvider } from '../../src/providers/fcm/fcm.ts'
import type { TargetKind } from '../../src/sends/recipient.ts'
import { jsonAnswer } from '../../src/simulators/answer.ts'
import { makeCertificates } from '../../src/simulators/certificates.ts'
import type { SimulatedRequest } from '../../src/simulators/simulated-request.ts'
import { SimulatorServer } from '../../src/simulators/simulator-server.ts'
import { makeTestLogger } from '../../tests/support/run-log.ts'
import { sendBatch } from '../../tests/support/send-batch.ts'

const PROJECT = 'a-project'
const CLIENT_EMAIL = `push@${PROJECT}.iam.gserviceaccount.com`
const MESSAGE_NAME = `projects/${PROJECT}/messages/1`
const ACCESS_TOKEN = 'an-access-token'
const TOKEN_PATH = '/token'

const signing = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

let server: SimulatorServer
let ours: FcmProvider
let theirs: App
const { connect } = http2
const { globalAgent } = https
const requests: SimulatedRequest[] = []
const grants: SimulatedRequest[] = []

beforeAll(async () => {
  const { caCert: ca, cert: certificate, key } = await makeCertificates()
  server = new SimulatorServer({
    cert: certificate,
    key,
    allowsHttp1: true,
    maxConcurrentStreams: 100,
    slowMs: 0,
    handle: (request) => {
      const isGrant = request.path === TOKEN_PATH
      if (isGrant) grants.push(request)
      else requests.push(request)
      const grant = { access_token: ACCESS_TOKEN, expires_in: 3600, token_type: 'Bearer' }
      return { answer: jsonAnswer(200, isGrant ? grant : { name: MESSAGE_NAME }) }
    },
  })
  await server.listen(0)
  const { origin } = server
  const serviceAccount = { projectId: PROJECT, clientEmail: CLIENT_EMAIL, privateKeyPem: signing.privateKey }
  const logger = makeTestLogger()
  ours = new FcmProvider({ account: serviceAccount, pushEndpoint: origin, authEndpoint: origin, ca, logger })
  http2.connect = (_: unknown, options?: unknown) => connectInstead(options, ca)
  const account = { projectId: PROJECT, clientEmail: CLIENT_EMAIL, privateKey: signing.privateKey }
  // The agent of `cert` is not used for access tokens.
  https.globalAgent = makeAgent(Number(new URL(origin).port), ca)
  theirs = initializeApp({ credential: cert(account), projectId: PROJECT })
})

afterAll(async () => {
  http2.connect = connect
  https.globalAgent = globalAgent
  await deleteApp(theirs)
  await ours.close()
  await server.stop()
})

beforeEach(() => {
  requests.length = 0
})

/** Connects to this server instead of the requested one. */
function connectInstead(options: unknown, ca: string): ClientHttp2Session {
  const session = connect(server.origin, { ...(typeof options === 'object' && options), ca })
  const { request } = session
  // firebase-admin sends the scheme `https:`. Google accepts it, but Node's server refuses it as invalid (RFC 3986).
  session.request = (headers, ...rest) => request.call(session, { ...headers, ':scheme': 'https' }, ...rest)
  return session
}

/** An agent that connects to this machine only. */
function makeAgent(port: number, ca: string): Agent {
  const agent = new Agent()
  agent.createConnection = () => connectTls({ host: '127.0.0.1', port, ca, ALPNProtocols: ['http/1.1'] })
  return agent
}

async function sendOurs(message: object, targetKind: TargetKind, target: string): Promise<SimulatedRequest> {
  const notification = { json: Buffer.from(JSON.stringify(message)), headers: new Map<string, string>() }
  const outcomes = await sendBatch(ours, { uid: 'u', notification, targetKind, targets: [target] })
  expect(outcomes.get(target)).toMatchObject({ kind: 'sent' })
  return takeRequest()
}

async function sendTheirs(message: Message): Promise<SimulatedRequest> {
  const { responses } = await getMessaging(theirs).sendEach([message])
  expect(responses).toEqual([{ success: true, messageId: MESSAGE_NAME }])
  return takeRequest()
}

function takeRequest(): SimulatedRequest {
  const request = requests.shift()
  if (!request) throw new Error('no request received')
  return request
}

/** The relevant parts of a request: without headers that identify the library. */
function comparableParts({ method, path, headers, body }: SimulatedRequest) {
  return {
    method,
    path,
    scheme: headers[':scheme'],
    authority: headers[':authority'],
    authorization: headers.authorization,
    mediaType: headers['content-type']?.split(';')[0],
    body: JSON.parse(body.toString()),
  }
}

const text = { title: 'Grüße', body: '👋' }

test.each<[string, TargetKind, string, object, Omit<Message, 'token' | 'topic' | 'condition'>]>([
  ['a notification for a token', 'token', 'a-token:with_marks', { notification: text }, { notification: text }],
  ['data for a topic', 'topic', 'news', { data: { order: '7' } }, { data: { order: '7' } }],
  [
    'a notification for a condition',
    'condition',
    `'a' in topics && !('b' in topics)`,
    { notification: text },
    { notification: text },
  ],
  [
    'the parts for each platform',
    'token',
    'a-token',
    {
      notification: text,
      android: { ttl: '60s', priority: 'high', collapse_key: 'k', notification: { tag: 't', channel_id: 'c' } },
      apns: { headers: { 'apns-priority': '5' }, payload: { aps: { 'content-available': 1, badge: 3 } } },
      // Google accepts both spellings of a name. This one is firebase-admin's.
      webpush: { headers: { TTL: '60' }, fcmOptions: { link: 'https://example.com/' } },
      fcmOptions: { analyticsLabel: 'a' },
    },
    {
      notification: text,
      android: { ttl: 60_000, priority: 'high', collapseKey: 'k', notification: { tag: 't', channelId: 'c' } },
      apns: { headers: { 'apns-priority': '5' }, payload: { aps: { contentAvailable: true, badge: 3 } } },
      webpush: { headers: { TTL: '60' }, fcmOptions: { link: 'https://example.com/' } },
      fcmOptions: { analyticsLabel: 'a' },
    },
  ],
])('%s is the same request', async (_what, targetKind, target, message, theirMessage) => {
  const mine = comparableParts(await sendOurs(message, targetKind, target))
  const peers = comparableParts(await sendTheirs(withTarget(theirMessage, targetKind, target)))
  expect(mine).toEqual(peers)
})

function withTarget(message: object, targetKind: TargetKind, target: string): Message {
  switch (targetKind) {
    case 'token':
      return { ...message, token: target }
    case 'topic':
      return { ...message, topic: target }
    case 'condition':
      return { ...message, condition: target }
  }
}

test('both request one access token, with the same assertion', async () => {
  await sendOurs({}, 'token', 'a')
  await sendTheirs({ token: 'a' })
  const [mine, peers, ...more] = await Promise.all(grants.map(readGrant))
  expect(more).toEqual([])
  expect(peers?.scopes).toContain('https://www.googleapis.com/auth/firebase.messaging')
  expect(mine?.scopes).toEqual(['https://www.googleapis.com/auth/firebase.messaging'])
  expect({ ...mine, scopes: [] }).toEqual({ ...peers, scopes: [] })
})

/** Issuer, audience, scopes and duration of an assertion. */
async function readGrant({ method, path, body }: SimulatedRequest) {
  const form = new URLSearchParams(body.toString())
  const { payload, protectedHeader } = await jwtVerify(
    form.get('assertion') ?? '',
    await importSPKI(signing.publicKey, 'RS256'),
  )
  const { iss, aud, iat = 0, exp = 0, scope } = payload
  const lifeSeconds = exp - iat
  const algorithm = protectedHeader.alg
  return {
    method,
    path,
    grant: form.get('grant_type'),
    algorithm,
    iss,
    aud,
    lifeSeconds,
    scopes: String(scope).split(' '),
  }
}
