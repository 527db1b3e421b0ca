// The same notification sent by centripush and by the web-push package: push service and browser must receive the same.
import { Agent } from 'node:https'
import { importJWK, jwtVerify } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import webPush from 'web-push'
import { makeAddressPolicy } from '../../src/providers/webpush/address-policy.ts'
import { makeVapidKeys, readVapidKeys } from '../../src/providers/webpush/vapid-keys.ts'
import { WebPushProvider } from '../../src/providers/webpush/webpush.ts'
import { makeCertificates } from '../../src/simulators/certificates.ts'
import type { SimulatedRequest } from '../../src/simulators/simulated-request.ts'
import { SimulatorServer } from '../../src/simulators/simulator-server.ts'
import { decryptMessage } from '../../src/simulators/webpush/decrypt-message.ts'
import { describeSubscription, SimulatedSubscriptions } from '../../src/simulators/webpush/subscriptions.ts'
import { makeTestLogger } from '../../tests/support/run-log.ts'

const subject = 'mailto:push@example.com'
const vapid = makeVapidKeys()
const browser = new SimulatedSubscriptions().subscribe('browser')

let server: SimulatorServer
let origin: string
let ca: string
let provider: WebPushProvider
const requests: SimulatedRequest[] = []

beforeAll(async () => {
  const { caCert, cert, key } = await makeCertificates()
  ca = caCert
  server = new SimulatorServer({
    cert,
    key,
    allowsHttp1: true,
    maxConcurrentStreams: 100,
    slowMs: 0,
    handle: (request) => {
      requests.push(request)
      return { answer: { status: 201, headers: { location: `${origin}/message/1` }, body: '' } }
    },
  })
  await server.listen(0)
  origin = `https://localhost:${new URL(server.origin).port}`
  provider = new WebPushProvider({
    keys: readVapidKeys(vapid.publicKey, vapid.privateKey),
    subject,
    isAddressAllowed: makeAddressPolicy(['127.0.0.1/32']),
    checkEndpoint: () => undefined,
    ca,
    logger: makeTestLogger(),
  })
})

afterAll(async () => {
  await provider.close()
  await server.stop()
})

interface Example {
  payload: string
  ttl: number
  urgency: 'very-low' | 'low' | 'normal' | 'high'
  topic: string
}

async function sendByPeer({ payload, ttl, urgency, topic }: Example): Promise<void> {
  const subscription = JSON.parse(describeSubscription(browser, origin))
  const agent = new Agent({ ca })
  const vapidDetails = { subject, ...vapid }
  const options = { TTL: ttl, urgency, topic, vapidDetails, agent, contentEncoding: 'aes128gcm' } as const
  await webPush.sendNotification(subscription, payload, options)
  agent.destroy()
}

async function sendByUs({ payload, ttl, urgency, topic }: Example): Promise<void> {
  const { endpoint, keys } = JSON.parse(describeSubscription(browser, origin))
  const headers = new Map([
    ['TTL', String(ttl)],
    ['Urgency', urgency],
    ['Topic', topic],
  ])
  const notification = { json: Buffer.from(payload), headers }
  const batch = {
    uid: 'u',
    notification,
    targetKind: 'token',
    targets: [endpoint],
    keys: [JSON.stringify(keys)],
  } as const
  await provider.send(batch, (_, outcome) => expect(outcome.kind).toBe('sent'), new AbortController().signal)
}

/**
 * The parts of a request that a push service reads. Tokens differ in signature and time, so only their claims count.
 */
async function comparableParts({ method, path, headers, body }: SimulatedRequest) {
  const [, token = '', key = ''] = /^vapid t=([^,\s]+), ?k=(\S+)$/.exec(headers.authorization ?? '') ?? []
  const point = Buffer.from(key, 'base64url')
  const [x = '', y = ''] = [point.subarray(1, 33), point.subarray(33)].map((bytes) => bytes.toString('base64url'))
  const verified = await jwtVerify(token, await importJWK({ kty: 'EC', crv: 'P-256', alg: 'ES256', x, y }))
  const { aud, sub, exp = 0 } = verified.payload
  const { ttl, urgency, topic } = headers
  return {
    request: [method, path],
    fields: { ttl, urgency, topic, encoding: headers['content-encoding'], type: headers['content-type'] },
    vapid: {
      key,
      aud,
      sub,
      algorithm: verified.protectedHeader.alg,
      hours: Math.round((exp - Date.now() / 1000) / 3600),
    },
    record: { bytes: body.length, size: body.readUInt32BE(16), keyBytes: body[20] },
    payload: decryptMessage(body, browser)?.toString(),
  }
}

test.each<Example>([
  { payload: '{"title":"hi"}', ttl: 60, urgency: 'high', topic: 'scores' },
  { payload: '{"text":"grüß dich ☃ 😀"}', ttl: 0, urgency: 'very-low', topic: 'a_B-90' },
  { payload: JSON.stringify('x'.repeat(3991)), ttl: 2_419_200, urgency: 'normal', topic: 'a'.repeat(32) },
])('$payload.length characters, TTL $ttl, $urgency', async (example) => {
  requests.length = 0
  await sendByPeer(example)
  await sendByUs(example)
  const [peer, ours] = await Promise.all(requests.map(comparableParts))
  expect(ours).toEqual(peer)
  expect(ours?.payload).toBe(example.payload)
})
