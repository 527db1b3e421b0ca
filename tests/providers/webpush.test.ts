import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Batch, Outcome } from '../../src/providers/provider.ts'
import { makeAddressPolicy } from '../../src/providers/webpush/address-policy.ts'
import { makeVapidKeys, readVapidKeys } from '../../src/providers/webpush/vapid-keys.ts'
import { type WebPushDeps, WebPushProvider } from '../../src/providers/webpush/webpush.ts'
import type { WebPushSimulatorOptions } from '../../src/simulators/webpush/webpush-simulator.ts'
import { isOnNodeHttp2, openHttp2Client } from '../support/http2-client.ts'
import { keepLines, makeTestLogger } from '../support/run-log.ts'
import { collectOutcomes, kindsOf, NEVER, tokens } from '../support/send-batch.ts'
import { startWebPushSimulator, type TestWebPushSimulator } from '../support/webpush-simulator.ts'

const logger = makeTestLogger()
const RETRY = { kind: 'retry', minDelayMs: 10_000 }
const PAYLOAD = '{"title":"hi","n":12345678901234567890,"f":1.0}'

let running: { service: TestWebPushSimulator; provider: WebPushProvider }

function makeProvider({ simulator, ca }: TestWebPushSimulator, change: Partial<WebPushDeps> = {}): WebPushProvider {
  const { publicKey, privateKey } = simulator.vapidKeys
  return new WebPushProvider({
    keys: readVapidKeys(publicKey, privateKey),
    subject: 'mailto:push@example.com',
    isAddressAllowed: makeAddressPolicy(['127.0.0.1/32']),
    checkEndpoint: () => undefined,
    ca,
    logger,
    openClient: openHttp2Client,
    ...change,
  })
}

async function start(
  options: Omit<WebPushSimulatorOptions, 'directory'> = {},
  change: Partial<WebPushDeps> = {},
): Promise<typeof running> {
  const service = await startWebPushSimulator(options)
  return { service, provider: makeProvider(service, change) }
}

async function restart(...args: Parameters<typeof start>): Promise<void> {
  await stop()
  running = await start(...args)
}

async function stop(): Promise<void> {
  await running.provider.close()
  await running.service.stop()
}

beforeEach(async () => {
  running = await start()
})
afterEach(stop)

/** A batch for the browsers with these names. */
function batchOf(
  names: readonly string[],
  { payload = PAYLOAD, headers = {}, uid = 'u' }: { payload?: string; headers?: object; uid?: string } = {},
  { simulator } = running.service,
): Batch {
  const subscriptions = names.map((name) => JSON.parse(simulator.subscribe(name)))
  return {
    uid,
    notification: { json: Buffer.from(payload), headers: new Map(Object.entries(headers)) },
    targetKind: 'token',
    targets: subscriptions.map(({ endpoint }) => endpoint),
    keys: subscriptions.map(({ keys }) => JSON.stringify(keys)),
  }
}

function send(batch: Batch, signal = NEVER, { provider } = running): Promise<(Outcome | undefined)[]> {
  return collectOutcomes(provider, batch, signal)
}

function acceptedNames(): string[] {
  return running.service.simulator.accepted.map(({ target }) => target)
}

function names(count: number, prefix = 'browser'): string[] {
  return tokens(count, prefix)
}

describe('the Web Push provider', () => {
  it('sends a payload that each browser can decrypt, byte for byte', async () => {
    expect(kindsOf(await send(batchOf(['a', 'b'])))).toEqual(['sent'])
    expect(running.service.simulator.accepted).toMatchObject([
      { target: 'a', body: PAYLOAD, ttl: 2_419_200, topic: expect.stringMatching(/^[0-9a-f]{32}$/) },
      { target: 'b', body: PAYLOAD },
    ])
  })

  it("sends the caller's headers", async () => {
    await send(batchOf(['a'], { headers: { TTL: '60', Urgency: 'high', Topic: 'scores' } }))
    expect(running.service.simulator.accepted).toMatchObject([{ ttl: 60, urgency: 'high', topic: 'scores' }])
  })

  it('gives the attempts of a send the same topic, and other sends other topics', async () => {
    for (const uid of ['x', 'x', 'y']) await send(batchOf(['a'], { uid }))
    const [first, second, third] = running.service.simulator.accepted.map(({ topic }) => topic)
    expect(second).toBe(first)
    expect(third).not.toBe(first)
  })

  it.each([
    ['a TTL', { headers: { TTL: 'soon' } }, 'INVALID_TTL'],
    ['an urgency', { headers: { Urgency: 'now' } }, 'INVALID_URGENCY'],
    ['a topic', { headers: { Topic: 'a b' } }, 'INVALID_TOPIC'],
    ['a payload', { payload: JSON.stringify('x'.repeat(3992)) }, 'PAYLOAD_TOO_LARGE'],
  ])('rejects %s that no push service accepts before it is sent', async (_what, options, reason) => {
    expect(await send(batchOf(['a', 'b'], options))).toEqual([
      { kind: 'rejected', reason },
      { kind: 'rejected', reason },
    ])
    expect(running.service.simulator.pushRequests).toBe(0)
  })

  it('sends a payload of the maximum length', async () => {
    const payload = JSON.stringify('x'.repeat(3991))
    expect(kindsOf(await send(batchOf(['a'], { payload })))).toEqual(['sent'])
    expect(running.service.simulator.accepted[0]?.body).toBe(payload)
  })

  it('settles each target by its own answer', async () => {
    const faulty = {
      'gone-1': { kind: 'tokenGone', reason: 'HTTP_410' },
      'notfound-1': { kind: 'tokenGone', reason: 'HTTP_404' },
      'bad-1': { kind: 'rejected', reason: 'HTTP_400' },
      'toolarge-1': { kind: 'rejected', reason: 'HTTP_413' },
      'notacceptable-1': { kind: 'rejected', reason: 'HTTP_406' },
      'redirect-1': { kind: 'rejected', reason: 'HTTP_307' },
      'busy-1': { kind: 'retry', reason: 'HTTP_429', afterMs: 2000 },
      'traffic-1': { kind: 'retry', reason: 'HTTP_503', afterMs: 2000 },
      'unavailable-1': { ...RETRY, reason: 'HTTP_503' },
      'internal-1': { ...RETRY, reason: 'HTTP_500' },
      'html-1': { ...RETRY, reason: 'HTTP_502' },
      'huge-1': { ...RETRY, reason: 'HTTP_500' },
      'reset-1': { ...RETRY, reason: 'stream_reset', maybeDelivered: true },
    }
    const good = names(20)
    const all = [...good.slice(0, 10), ...Object.keys(faulty), ...good.slice(10)]
    const outcomes = new Map((await send(batchOf(all))).map((outcome, index) => [all[index], outcome]))
    for (const [name, outcome] of Object.entries(faulty)) expect([name, outcomes.get(name)]).toEqual([name, outcome])
    for (const name of good) expect(outcomes.get(name)?.kind).toBe('sent')
    expect(acceptedNames().sort()).toEqual([...good, 'reset-1'].sort())
  })

  it('rejects subscriptions without valid keys, and sends to the others', async () => {
    const batch = batchOf(['a', 'b', 'c', 'd'])
    const keys = [...(batch.keys ?? [])]
    keys[1] = '{"p256dh":"AAAA","auth":"AAAA"}'
    keys[2] = keys[2]?.replace(/"p256dh":"B.{20}/, `"p256dh":"B${'A'.repeat(20)}`) ?? ''
    const invalid = { kind: 'rejected', reason: 'INVALID_SUBSCRIPTION' }
    const sent = expect.objectContaining({ kind: 'sent' })
    expect(await send({ ...batch, keys })).toEqual([
      sent,
      invalid,
      { kind: 'rejected', reason: 'request_invalid' },
      sent,
    ])
  })

  it('sends to more targets than there are streams', async () => {
    const many = names(600)
    expect(kindsOf(await send(batchOf(many)))).toEqual(['sent'])
    expect(acceptedNames().sort()).toEqual(many.sort())
    expect(running.service.simulator.peakStreams).toBeLessThanOrEqual(100)
  })

  it('sends to the other push services of a batch if one cannot be connected to', async () => {
    const other = await startWebPushSimulator()
    // The other service has an authority that is not trusted.
    const [a, b] = [batchOf(['a', 'b']), batchOf(['c'], {}, other)]
    const batch = { ...a, targets: [...a.targets, ...b.targets], keys: [...(a.keys ?? []), ...(b.keys ?? [])] }
    expect(await send(batch)).toEqual([
      expect.objectContaining({ kind: 'sent' }),
      expect.objectContaining({ kind: 'sent' }),
      { kind: 'retry', reason: 'connect_failed' },
    ])
    await other.stop()
  })
})

it('logs no endpoint, key, token or payload, whatever the answers are', async ({ skip }) => {
  skip(isOnNodeHttp2, 'the client of the tests does not log its connections')
  const lines: string[] = []
  const log = keepLines((line) => lines.push(line))
  await restart({}, { logger: pino({ level: 'trace' }, log), requestTimeoutMs: 200 })
  const batch = batchOf(['browser-1', 'forbidden-1', 'gone-1', 'html-1', 'hang-1', 'cut-1', 'redirect-1'])
  await send(batch)
  const written = lines.join('')
  expect(written).toContain(running.service.simulator.origin)
  const { publicKey, privateKey } = running.service.simulator.vapidKeys
  const secrets = [
    '/push/',
    'title',
    publicKey,
    privateKey,
    'eyJ',
    ...(batch.keys ?? []).flatMap((keys) => keys.split('"')),
  ]
  for (const secret of secrets.filter((text) => text.length >= 3 && !['auth', 'p256dh'].includes(text))) {
    expect(written).not.toContain(secret)
  }
})

describe('the VAPID key of the Web Push provider', () => {
  const credential = { kind: 'credential', reason: 'HTTP_403' }

  it('is a refused credential from the first refusal on, and no more requests are sent', async () => {
    const { publicKey, privateKey } = makeVapidKeys()
    await restart({ slowMs: 20 }, { keys: readVapidKeys(publicKey, privateKey) })
    const outcomes = await send(batchOf(names(2000)))
    expect(outcomes).toEqual(outcomes.map(() => credential))
    expect(running.service.simulator.pushRequests).toBeLessThanOrEqual(500)
  })

  it('that is refused does not end the requests in flight, because their pushes would be sent twice', async () => {
    await restart({ slowMs: 200 })
    expect(await send(batchOf(['slow-1', 'forbidden-1']))).toEqual([
      expect.objectContaining({ kind: 'sent' }),
      credential,
    ])
  })

  it('that single subscriptions refuse does not stop the sends to others', async () => {
    await send(batchOf(['a']))
    const outcomes = await send(batchOf(['b', 'forbidden-1', 'unauthorized-1', 'unregistered-1', 'c']))
    const later = (reason: string) => ({ kind: 'retry', reason, minDelayMs: 60_000 })
    expect(outcomes.slice(1, 4)).toEqual([later('HTTP_403'), later('HTTP_401'), later('HTTP_400')])
    expect(acceptedNames()).toEqual(['a', 'b', 'c'])
  })

  it('that a push service refuses is logged with the service, the status and the number', async () => {
    const lines: { refusals?: object; msg: string }[] = []
    const log = keepLines((line) => lines.push(JSON.parse(line)))
    await restart({}, { logger: pino({ level: 'warn' }, log) })
    const { origin } = running.service.simulator
    running.service.simulator.revokeKey()
    await send(batchOf(['a']))
    running.service.simulator.revokeKey(false)
    await send(batchOf(['a']))
    await send(batchOf(['forbidden-1', 'b', 'forbidden-2', 'unauthorized-1']))
    expect(lines).toMatchObject([
      { refusals: { [`${origin} HTTP_403`]: 1 }, msg: 'webpush: VAPID token refused' },
      {
        refusals: { [`${origin} HTTP_403`]: 2, [`${origin} HTTP_401`]: 1 },
        msg: 'webpush: VAPID token refused for single subscriptions',
      },
    ])
  })

  it('that is revoked becomes a refused credential within a batch, loses no push, and recovers', async () => {
    expect(kindsOf(await send(batchOf(names(50))))).toEqual(['sent'])
    running.service.simulator.revokeKey()
    const outcomes = await send(batchOf(names(100, 'later')))
    expect(new Set(kindsOf(outcomes))).toEqual(new Set(['retry', 'credential']))
    expect(outcomes.filter((outcome) => outcome?.kind === 'retry')).toHaveLength(19)
    expect(kindsOf(await send(batchOf(['probe'])))).toEqual(['credential'])
    running.service.simulator.revokeKey(false)
    expect(kindsOf(await send(batchOf(['probe'])))).toEqual(['sent'])
  })
})

describe('the connection of the Web Push provider', () => {
  it('loses no push and repeats none when the server sends GOAWAY in the middle of a batch', async () => {
    running.service.simulator.goawayAfter(30)
    const many = names(250)
    expect(kindsOf(await send(batchOf(many)))).toEqual(['sent'])
    expect(acceptedNames().sort()).toEqual(many.sort())
    expect(running.service.simulator.goawaysSent).toBe(1)
  })

  it('repeats a request that the server refused to process', async () => {
    expect(kindsOf(await send(batchOf(['a', 'refuse-once-1'])))).toEqual(['sent'])
    expect(acceptedNames().sort()).toEqual(['a', 'refuse-once-1'])
  })

  it('that is cut makes the attempts on it ambiguous', async () => {
    expect(await send(batchOf(['cut-1']))).toEqual([{ ...RETRY, reason: 'connection_lost', maybeDelivered: true }])
    expect(kindsOf(await send(batchOf(['b'])))).toEqual(['sent'])
  })

  it('without an answer to a push makes this attempt ambiguous, and no other', async () => {
    await restart({}, { requestTimeoutMs: 300 })
    const [first, hanging, last] = await send(batchOf(['a', 'hang-1', 'b']))
    expect([first?.kind, last?.kind]).toEqual(['sent', 'sent'])
    expect(hanging).toEqual({ ...RETRY, reason: 'timeout', maybeDelivered: true })
  })

  it('resolves when the signal aborts, and leaves the targets without an answer unsettled', async () => {
    const abort = new AbortController()
    const sending = send(batchOf(['a', 'hang-1']), abort.signal)
    await running.service.simulator.waitForAccepted(2)
    await send(batchOf(['b']))
    abort.abort()
    expect((await sending).map((outcome) => outcome?.kind)).toEqual(['sent', undefined])
    expect(await send(batchOf(['c']), AbortSignal.abort())).toEqual([undefined])
  })

  it('does not trust a certificate of an unknown authority', async () => {
    const provider = makeProvider(running.service, { ca: undefined })
    expect(await send(batchOf(['a']), NEVER, { ...running, provider })).toEqual([
      { kind: 'retry', reason: 'connect_failed' },
    ])
    await provider.close()
  })
})
