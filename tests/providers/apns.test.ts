import { decodeJwt } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ApnsAuth, type ApnsDeps, ApnsProvider } from '../../src/providers/apns/apns.ts'
import { makeNotificationId } from '../../src/providers/apns/notification-id.ts'
import { outcomeOf } from '../../src/providers/apns/outcome.ts'
import type { Batch, Outcome } from '../../src/providers/provider.ts'
import { REASONS } from '../../src/simulators/apns/apns-answer.ts'
import type { ApnsSimulatorOptions } from '../../src/simulators/apns/apns-simulator.ts'
import { makeDeviceToken, readDeviceName } from '../../src/simulators/apns/device-name.ts'
import { startApnsSimulator, type TestApnsSimulator } from '../support/apns-simulator.ts'
import { isOnNodeHttp2, openHttp2Client } from '../support/http2-client.ts'
import { LocalCredentialCache } from '../support/local-credential-cache.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { kindsOf, NEVER, sendBatch, tokens } from '../support/send-batch.ts'

const MINUTE_MS = 60_000
const logger = makeTestLogger()
const ALERT = '{"aps":{"alert":"hi"}}'

interface Running {
  apns: TestApnsSimulator
  provider: ApnsProvider
  clock: { nowMs: number }
}

let running: Running

async function start(
  options: Omit<ApnsSimulatorOptions, 'directory'> = {},
  deps: Partial<ApnsDeps> = {},
): Promise<Running> {
  const clock = { nowMs: Date.now() }
  const nowMs = () => clock.nowMs
  const apns = await startApnsSimulator({ nowMs, ...options })
  return { apns, provider: makeProvider(apns, { nowMs, ...deps }), clock }
}

function makeProvider({ simulator, ca, key }: TestApnsSimulator, deps: Partial<ApnsDeps> = {}): ApnsProvider {
  const auth: ApnsAuth = { kind: 'token', key, cache: new LocalCredentialCache() }
  const { bundleId } = simulator.account
  return new ApnsProvider({
    endpoint: simulator.origin,
    bundleId,
    auth,
    ca,
    logger,
    openClient: openHttp2Client,
    ...deps,
  })
}

async function restart(...args: Parameters<typeof start>): Promise<void> {
  await stop()
  running = await start(...args)
}

async function stop(): Promise<void> {
  await running.provider.close()
  await running.apns.stop()
}

beforeEach(async () => {
  running = await start()
})
afterEach(stop)

function batchOf(targets: string[], payload = ALERT, headers: Record<string, string> = {}): Batch {
  const notification = { json: Buffer.from(payload), headers: new Map(Object.entries(headers)) }
  return { uid: 'u', notification, targetKind: 'token', targets: targets.map(makeDeviceToken) }
}

/** Sends a batch. Resolves to the outcomes by the names of the devices. */
async function send(batch: Batch, signal = NEVER, provider = running.provider): Promise<Map<string, Outcome>> {
  const outcomes = await sendBatch(provider, batch, signal)
  return new Map([...outcomes].map(([token, outcome]) => [readDeviceName(token), outcome]))
}

function acceptedTargets(): string[] {
  return running.apns.simulator.accepted.map((push) => readDeviceName(push.target))
}

describe('the APNs provider', () => {
  it('delivers the payload byte for byte, with the headers that APNs requires', async () => {
    const payload = String.raw` { "aps" : {"alert":"\u00e9\/"} , "n":12345678901234567890, "f":1.0, "f":1.00 } `
    const outcomes = await send(batchOf(['a-1'], payload, { 'apns-expiration': '0' }))
    const token = makeDeviceToken('a-1')
    const id = makeNotificationId('u', token)
    expect(outcomes.get('a-1')).toEqual({ kind: 'sent', messageId: id })
    expect(running.apns.simulator.accepted).toMatchObject([
      {
        target: token,
        body: payload,
        headers: {
          'apns-id': id,
          'apns-topic': 'com.example.app',
          'apns-push-type': 'alert',
          'apns-expiration': '0',
          'apns-collapse-id': expect.stringMatching(/^[\w-]{1,64}$/),
        },
      },
    ])
  })

  it.each([
    ['background', { aps: { 'content-available': 1 } }, {}],
    ['liveactivity', { aps: { event: 'update', timestamp: 1, 'content-state': {} } }, {}],
    ['widgets', { aps: { 'content-changed': true } }, {}],
    ['voip', { call: 1 }, { 'apns-push-type': 'voip' }],
    ['complication', { a: 1 }, { 'apns-topic': 'com.example.app.complication' }],
    ['pushtotalk', { aps: {} }, { 'apns-push-type': 'pushtotalk' }],
  ])('sends a push of the type %s that APNs accepts', async (pushType, payload, headers) => {
    expect(kindsOf(await send(batchOf(['a-1'], JSON.stringify(payload), headers)))).toEqual(['sent'])
    expect(running.apns.simulator.accepted[0]?.headers['apns-push-type']).toBe(pushType)
  })

  it('gives the attempts of a push the same id, and the devices different ids', async () => {
    await send(batchOf(['a-1', 'b-1']))
    await send(batchOf(['b-1']))
    const ids = running.apns.simulator.accepted.map(({ target, headers }) => `${target} ${headers['apns-id']}`)
    expect(new Set(ids).size).toBe(2)
    expect(new Set(ids.map((id) => id.split(' ')[1])).size).toBe(2)
  })

  it('sends the id of the caller', async () => {
    const id = '6b3ba3e0-7ac1-4d2b-9d7e-0a4b1f6f8f5e'
    const outcomes = await send(batchOf(['a-1'], ALERT, { 'apns-id': id }))
    expect(outcomes.get('a-1')).toEqual({ kind: 'sent', messageId: id })
  })

  it('settles each target by its own answer', async () => {
    const now = running.clock.nowMs
    const faulty = new Map<string, Outcome>(
      Object.entries(REASONS).flatMap(([reason, status]) => {
        const timestamp = status === 410 ? { timestamp: now } : {}
        const body = JSON.stringify({ reason, ...timestamp })
        const outcome = outcomeOf({ status, body, apnsId: '', retryAfter: undefined }, now)
        return outcome.kind === 'credential' ? [] : [[`${reason.toLowerCase()}-1`, outcome] as const]
      }),
    )
    faulty.set('html-1', { kind: 'retry', reason: 'HTTP_502', minDelayMs: 10_000 })
    faulty.set('huge-1', { kind: 'retry', reason: 'HTTP_500', minDelayMs: 10_000 })
    faulty.set('reset-1', { kind: 'retry', reason: 'stream_reset', minDelayMs: 10_000, maybeDelivered: true })
    const good = tokens(20)
    const outcomes = await send(batchOf([...good.slice(0, 10), ...faulty.keys(), ...good.slice(10)]))
    for (const [target, outcome] of faulty) expect([target, outcomes.get(target)]).toEqual([target, outcome])
    for (const target of good) expect([target, outcomes.get(target)]).toMatchObject([target, { kind: 'sent' }])
    expect(acceptedTargets().sort()).toEqual([...good, 'reset-1'].sort())
  })

  it('settles a temporary failure as retry, and succeeds at the next attempt', async () => {
    expect(kindsOf(await send(batchOf(['serviceunavailable-once-1'])))).toEqual(['retry'])
    expect(kindsOf(await send(batchOf(['serviceunavailable-once-1'])))).toEqual(['sent'])
  })

  it.each([
    ['not hexadecimal', 'zzz', 'BadDeviceToken'],
    ['a path', '../../3/device/ab', 'BadDeviceToken'],
    ['a query', 'ab?x=1#y', 'BadDeviceToken'],
    ['a line break', 'ab\r\nx: y', 'BadDeviceToken'],
    ['a lone surrogate', '\ud800', 'BadDeviceToken'],
    ['empty', '', 'MissingDeviceToken'],
    ['too long for a request', 'ab'.repeat(20_000), 'request_invalid'],
  ])('rejects a device token that is %s, and sends to the others', async (_what, token, reason) => {
    const targets = [makeDeviceToken('a-1'), token, makeDeviceToken('b-1')]
    const outcomes = await sendBatch(running.provider, { ...batchOf([]), targets })
    // Node's http2 does not limit the length of a path, so the server refuses the token.
    const expected = isOnNodeHttp2 && reason === 'request_invalid' ? 'BadDeviceToken' : reason
    expect(outcomes.get(token)).toEqual({ kind: 'rejected', reason: expected })
    expect(acceptedTargets().sort()).toEqual(['a-1', 'b-1'])
  })

  it('sends no request with a payload that is too large, or with a forbidden header of the caller', async () => {
    const large = JSON.stringify({ aps: { alert: 'x'.repeat(4096) } })
    expect([...(await send(batchOf(['a-1', 'b-1'], large))).values()]).toEqual([
      { kind: 'rejected', reason: 'PayloadTooLarge' },
      { kind: 'rejected', reason: 'PayloadTooLarge' },
    ])
    const outcomes = await send(batchOf(['a-1'], ALERT, { authorization: 'bearer mine' }))
    expect(outcomes.get('a-1')).toEqual({ kind: 'rejected', reason: 'header_not_allowed' })
    expect(running.apns.simulator.requests).toBe(0)
  })

  it('settles a token as dead since the time in the answer', async () => {
    await restart({ goneSinceMs: () => Date.parse('2026-01-01T00:00:00Z') })
    expect((await send(batchOf(['unregistered-1']))).get('unregistered-1')).toEqual({
      kind: 'tokenGone',
      reason: 'Unregistered',
      sinceMs: Date.parse('2026-01-01T00:00:00Z'),
    })
  })
})

/** APNs closes the connection after such an answer. */
const LOSES_ANSWERS = 'Node’s http2 loses answers if the server then closes the connection at once'

describe('the credential of the APNs provider', () => {
  it('is one token for all pushes within 45 minutes', async () => {
    await Promise.all([send(batchOf(tokens(200, 'a'))), send(batchOf(tokens(200, 'b')))])
    running.clock.nowMs += 44 * MINUTE_MS
    expect(kindsOf(await send(batchOf(['c-1'])))).toEqual(['sent'])
    expect(running.apns.simulator.providerTokens).toHaveLength(1)
    running.clock.nowMs += 20 * MINUTE_MS
    expect(kindsOf(await send(batchOf(['d-1'])))).toEqual(['sent'])
    expect(running.apns.simulator.providerTokens).toHaveLength(2)
  })

  it('that is revoked stops the requests of the batch, and settles all targets as refused', async ({ skip }) => {
    skip(isOnNodeHttp2, LOSES_ANSWERS)
    await send(batchOf(['a-1']))
    running.apns.simulator.revokeKey()
    const before = running.apns.simulator.requests
    const outcomes = await send(batchOf(tokens(5000)))
    expect(outcomes.size).toBe(5000)
    for (const outcome of outcomes.values()) {
      expect(outcome).toEqual({ kind: 'credential', reason: 'InvalidProviderToken' })
    }
    expect(running.apns.simulator.requests - before).toBeLessThan(2500)
    running.apns.simulator.restoreKey()
    expect(kindsOf(await send(batchOf(tokens(100))))).toEqual(['sent'])
  })

  it('that APNs calls expired is replaced once, and no push is lost', async () => {
    // The clock of this server is half an hour behind. A token that is 35 minutes old by it is 65 minutes old for APNs.
    const late = { nowMs: running.clock.nowMs - 30 * MINUTE_MS }
    const provider = makeProvider(running.apns, { nowMs: () => late.nowMs })
    await send(batchOf(['a-1']), NEVER, provider)
    for (const clock of [late, running.clock]) clock.nowMs += 35 * MINUTE_MS
    expect(kindsOf(await send(batchOf(tokens(100)), NEVER, provider))).toEqual(['sent'])
    const [first = '', second = ''] = running.apns.simulator.providerTokens
    expect((decodeJwt(second).iat ?? 0) - (decodeJwt(first).iat ?? 0)).toBe(35 * 60)
    await provider.close()
  })

  it('that APNs calls expired before it is 20 minutes old is not replaced, but refused', async ({ skip }) => {
    skip(isOnNodeHttp2, LOSES_ANSWERS)
    const late = { nowMs: running.clock.nowMs - 61 * MINUTE_MS }
    const provider = makeProvider(running.apns, { nowMs: () => late.nowMs })
    const outcomes = await send(batchOf(tokens(50)), NEVER, provider)
    expect([...outcomes.values()]).toEqual(
      tokens(50).map(() => ({ kind: 'credential', reason: 'ExpiredProviderToken' })),
    )
    expect(running.apns.simulator.providerTokens).toHaveLength(0)
    await provider.close()
  })

  it.each(Object.keys(REASONS).filter((reason) => /Certificate|ProviderToken|KeyId|Forbidden/.test(reason)))(
    'is refused with the reason %s',
    async (reason) => {
      const outcomes = await send(batchOf([`${reason.toLowerCase()}-1`]))
      expect([...outcomes.values()]).toEqual([{ kind: 'credential', reason }])
    },
  )

  it('that cannot be read from the cache makes the push a retry', async () => {
    const cache = { update: () => Promise.reject(new Error('down')) }
    const provider = makeProvider(running.apns, { auth: { kind: 'token', key: running.apns.key, cache } })
    expect([...(await send(batchOf(['a-1']), NEVER, provider)).values()]).toEqual([
      { kind: 'retry', reason: 'credential_cache_unavailable', minDelayMs: 10_000 },
    ])
    await provider.close()
  })
})

describe('the connection of the APNs provider', () => {
  it('carries one push until APNs has accepted the token, and then as many as APNs allows', async () => {
    await restart({}, { maxConnections: 1 })
    const abort = new AbortController()
    const sending = send(batchOf(tokens(1200, 'hang')), abort.signal)
    await running.apns.simulator.waitForAccepted(1000)
    abort.abort()
    await sending
    expect(running.apns.simulator.peakStreams).toBe(1000)
    expect(running.apns.simulator.connectionsOpened).toBe(1)
  })

  it('loses no push and repeats none when the server sends GOAWAY in the middle of a batch', async () => {
    running.apns.simulator.goawayAfter(300)
    const targets = tokens(1000)
    expect(kindsOf(await send(batchOf(targets)))).toEqual(['sent'])
    expect(acceptedTargets().sort()).toEqual(targets.sort())
    expect(running.apns.simulator.goawaysSent).toBe(1)
  })

  it.each(['refuse', 'squeeze', 'goaway'])('loses no push and repeats none with the fault %s', async (word) => {
    const targets = [...tokens(100), ...tokens(20, `${word}-once`), ...tokens(100, 'more')]
    const outcomes = await send(batchOf(targets))
    for (const [target, outcome] of outcomes) expect([target, outcome]).toMatchObject([target, { kind: 'sent' }])
    expect(acceptedTargets().sort()).toEqual(targets.sort())
  })

  it('that is cut makes the attempts on it ambiguous', async () => {
    const outcomes = await send(batchOf(['a-1', 'cut-once-1', ...tokens(50)]))
    expect(outcomes.get('cut-once-1')).toMatchObject({ kind: 'retry', maybeDelivered: true })
    for (const outcome of outcomes.values()) expect(['sent', 'retry']).toContain(outcome.kind)
    expect(outcomes.size).toBe(52)
  })

  it('without an answer to a push makes this attempt ambiguous, and no other', async () => {
    await restart({}, { requestTimeoutMs: 300 })
    const outcomes = await send(batchOf(['a-1', 'hang-1', 'b-1']))
    const late = { kind: 'retry', reason: 'timeout', minDelayMs: 10_000, maybeDelivered: true }
    expect(outcomes.get('hang-1')).toEqual(late)
    expect([outcomes.get('a-1')?.kind, outcomes.get('b-1')?.kind]).toEqual(['sent', 'sent'])
  })

  it('that is half-open is closed, and the next push uses another one', async () => {
    await restart({}, { requestTimeoutMs: 300, maxConnections: 1 })
    expect((await send(batchOf(['stall-1']))).get('stall-1')).toMatchObject({ kind: 'retry', maybeDelivered: true })
    expect(kindsOf(await send(batchOf(['a-1'])))).toEqual(['sent'])
  })

  it('that cannot be opened is an unambiguous retry', async () => {
    await running.apns.simulator.stop()
    const outcomes = await send(batchOf(['b-1', 'c-1']))
    expect([...outcomes.values()]).toEqual([
      { kind: 'retry', reason: 'connect_failed' },
      { kind: 'retry', reason: 'connect_failed' },
    ])
  })

  it('resolves when the signal aborts, and leaves the targets without an answer unsettled', async () => {
    const abort = new AbortController()
    const sending = send(batchOf(['a-1', 'hang-1', 'hang-2']), abort.signal)
    await running.apns.simulator.waitForAccepted(3)
    await send(batchOf(['b-1']))
    abort.abort()
    expect([...(await sending).keys()]).toEqual(['a-1'])
    expect((await send(batchOf(['c-1']), AbortSignal.abort())).size).toBe(0)
  })

  it('finishes the requests in flight when it is closed', async () => {
    await restart({ slowMs: 200 })
    const sending = send(batchOf(tokens(50, 'slow')))
    await running.apns.simulator.waitForAccepted(50)
    await running.provider.close()
    expect(kindsOf(await sending)).toEqual(['sent'])
    expect(kindsOf(await send(batchOf(['late-1'])))).toEqual(['retry'])
  })
})
