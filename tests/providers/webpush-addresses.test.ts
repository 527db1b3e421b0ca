// Endpoints are URLs from untrusted clients. The provider makes no connection to an address that is not public,
// whatever the URL or its name resolves to.
import { createHook } from 'node:async_hooks'
import type { LookupFunction } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseConfig } from '../../src/config/load.ts'
import { makeEndpointCheck } from '../../src/devices/web-push-endpoint.ts'
import type { Outcome } from '../../src/providers/provider.ts'
import { makeAddressPolicy } from '../../src/providers/webpush/address-policy.ts'
import { readVapidKeys } from '../../src/providers/webpush/vapid-keys.ts'
import { type WebPushDeps, WebPushProvider } from '../../src/providers/webpush/webpush.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { startWebPushSimulator, type TestWebPushSimulator } from '../support/webpush-simulator.ts'

const REFUSED = { kind: 'rejected', reason: 'address_refused' }

const watch = createHook({
  init: (_id, type, _trigger, resource) => {
    if (type === 'TCPCONNECTWRAP') connects.push(resource)
  },
})

let service: TestWebPushSimulator
let port: string
/** The resource that Node creates before each connect of a socket; it gets the address later. */
let connects: object[]
let toClose: WebPushProvider[]

beforeEach(async () => {
  service = await startWebPushSimulator()
  port = new URL(service.simulator.origin).port
  connects = []
  toClose = []
  watch.enable()
})

afterEach(async () => {
  watch.disable()
  await Promise.all(toClose.map((provider) => provider.close()))
  await service.stop()
})

/** The addresses of all connection attempts of this process, without duplicates. */
function connectedTo(): unknown[] {
  return [...new Set(connects.map((connect) => ('address' in connect ? connect.address : undefined)))]
}

/** Makes a provider for which the simulator is the only allowed private address. */
function makeProvider(change: Partial<WebPushDeps> = {}): WebPushProvider {
  const { publicKey, privateKey } = service.simulator.vapidKeys
  const provider = new WebPushProvider({
    keys: readVapidKeys(publicKey, privateKey),
    subject: 'mailto:push@example.com',
    isAddressAllowed: makeAddressPolicy(['127.0.0.1/32']),
    checkEndpoint: () => undefined,
    ca: service.ca,
    logger: makeTestLogger(),
    ...change,
  })
  toClose.push(provider)
  return provider
}

/** Sends to the browser with this name, at another host if one is given. */
async function sendTo(provider: WebPushProvider, name: string, host?: string): Promise<Outcome | undefined> {
  const { endpoint, keys } = JSON.parse(service.simulator.subscribe(name))
  const target = host === undefined ? endpoint : `https://${host}:${port}/push/${name}`
  const batch = {
    uid: 'u',
    notification: { json: Buffer.from('{"title":"hi"}'), headers: new Map() },
    targetKind: 'token' as const,
    targets: [target],
    keys: [JSON.stringify(keys)],
  }
  let outcome: Outcome | undefined
  await provider.send(batch, (_, settled) => (outcome = settled), new AbortController().signal)
  return outcome
}

/** Resolves names to the next of these lists at each call, and to the last one from then on. */
function resolveTo(...answers: string[][]): { lookup: LookupFunction; questions: () => number } {
  let questions = 0
  const lookup: LookupFunction = (_hostname, _options, callback) => {
    const addresses = answers[Math.min(questions++, answers.length - 1)] ?? []
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }
  return { lookup, questions: () => questions }
}

test.each([
  '127.0.0.2',
  '127.255.255.254',
  '::1',
  '::127.0.0.2',
  '::ffff:127.0.0.2',
  '::ffff:7f00:2',
  '64:ff9b::7f00:2',
  '2002:7f00:2::1',
  '169.254.169.254',
  '10.0.0.1',
  '10.255.255.254',
  '172.16.0.1',
  '192.168.0.1',
  '100.64.0.1',
  '0.0.0.0',
  '::',
  'fd00::1',
  'fdff:ffff:ffff:ffff:ffff:ffff:ffff:fffe',
  'fe80::1',
])('a name that resolves to %s is not connected to', async (address) => {
  expect(await sendTo(makeProvider(resolveTo([address])), 'a')).toEqual(REFUSED)
  expect(connectedTo()).toEqual([])
})

// The notations of addresses in URLs. No name is resolved for them.
test.each([
  '127.0.0.1',
  '127.0.0.2',
  '127.0.0.2.',
  '127.1',
  '127.2',
  '2130706434',
  '0x7f000002',
  '0x7f.2',
  '017700000002',
  '0177.0.0.2',
  '１２７.０.０.２',
  '127。0。0。2',
  '%31%32%37.0.0.2',
  '0',
  '0.0.0.0',
  '169.254.169.254',
  '10.0.0.1',
  '10.255.255.254',
  '172.16.0.1',
  '192.168.0.1',
  '[::]',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[::127.0.0.2]',
  '[::ffff:127.0.0.1]',
  '[::ffff:127.0.0.2]',
  '[::ffff:7f00:2]',
  '[64:ff9b::127.0.0.2]',
  '[2002:7f00:2::1]',
  '[fd00::1]',
  '[fe80::1]',
])('the host %s is not connected to', async (host) => {
  const provider = makeProvider({ isAddressAllowed: makeAddressPolicy([]) })
  expect(await sendTo(provider, 'a', host)).toEqual(REFUSED)
  expect(connectedTo()).toEqual([])
})

test('a name that the system resolves to a private address is not connected to', async () => {
  const provider = makeProvider({ isAddressAllowed: makeAddressPolicy([]) })
  expect(await sendTo(provider, 'a', 'localhost')).toEqual(REFUSED)
  expect(connectedTo()).toEqual([])
})

test('an address that a name gets after the first connection is checked too', async () => {
  const provider = makeProvider(resolveTo(['127.0.0.1'], ['127.0.0.2']))
  expect(await sendTo(provider, 'a')).toMatchObject({ kind: 'sent' })
  await sendTo(provider, 'cut-1')
  expect(await sendTo(provider, 'b')).toEqual(REFUSED)
  expect(connectedTo()).toEqual(['127.0.0.1'])
})

test('a name is resolved once per connection, so the connection goes to the address that was checked', async () => {
  const resolver = resolveTo(['127.0.0.1'], ['127.0.0.2'])
  expect(await sendTo(makeProvider(resolver), 'a')).toMatchObject({ kind: 'sent' })
  expect([resolver.questions(), connectedTo()]).toEqual([1, ['127.0.0.1']])
})

test('only the allowed addresses of a name are used', async () => {
  const provider = makeProvider(resolveTo(['127.0.0.2', '::1', '127.0.0.1']))
  expect(await sendTo(provider, 'a')).toMatchObject({ kind: 'sent' })
  expect(connectedTo()).toEqual(['127.0.0.1'])
})

test('a redirect is not followed', async () => {
  expect(await sendTo(makeProvider(), 'redirect-1')).toEqual({ kind: 'rejected', reason: 'HTTP_307' })
  expect([service.simulator.pushRequests, connectedTo()]).toEqual([1, ['127.0.0.1']])
})

test('an endpoint whose origin is no longer allowed is rejected', async () => {
  const provider = makeProvider({ checkEndpoint: () => 'not of an allowed origin' })
  expect(await sendTo(provider, 'a')).toEqual({ kind: 'rejected', reason: 'ENDPOINT_NOT_ALLOWED' })
  expect(connectedTo()).toEqual([])
})

test('an endpoint at port 22 or another port that is not allowed is rejected', async () => {
  const webpush = { allowed_endpoint_origins: ['https://local*'] }
  const checkEndpoint = makeEndpointCheck(parseConfig({ push_notifications: { webpush } }).push_notifications.webpush)
  const provider = makeProvider({ checkEndpoint })
  const refused = { kind: 'rejected', reason: 'ENDPOINT_NOT_ALLOWED' }
  expect(await sendTo(provider, 'a', 'localhost')).toEqual(refused)
  port = '22'
  expect(await sendTo(provider, 'a', 'localhost')).toEqual(refused)
  expect(connectedTo()).toEqual([])
})
