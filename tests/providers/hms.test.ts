import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Logger } from '../../src/observability/log.ts'
import { HmsProvider } from '../../src/providers/hms/hms.ts'
import type { Batch, Outcome } from '../../src/providers/provider.ts'
import type { HmsSimulatorOptions } from '../../src/simulators/hms/hms-simulator.ts'
import { startHmsSimulator, type TestHmsSimulator } from '../support/hms-simulator.ts'
import { isOnNodeHttp2, openHttp2Client } from '../support/http2-client.ts'
import { keepLines, makeTestLogger } from '../support/run-log.ts'
import { kindsOf, NEVER, sendBatch, tokens } from '../support/send-batch.ts'

const logger = makeTestLogger()
const RETRY = { kind: 'retry', minDelayMs: 10_000 }

let running: { hms: TestHmsSimulator; provider: HmsProvider }

async function start(
  options: Omit<HmsSimulatorOptions, 'directory'> = {},
  change: { requestTimeoutMs?: number; appSecret?: string; pushEndpoint?: string; logger?: Logger } = {},
): Promise<typeof running> {
  const hms = await startHmsSimulator(options)
  const { app, origin, authEndpoint } = hms.simulator
  const provider = new HmsProvider({
    appId: app.id,
    appSecret: app.secret,
    pushEndpoint: origin,
    authEndpoint,
    ca: hms.ca,
    logger,
    openClient: openHttp2Client,
    ...change,
  })
  return { hms, provider }
}

async function restart(...args: Parameters<typeof start>): Promise<void> {
  await stop()
  running = await start(...args)
}

async function stop(): Promise<void> {
  await running.provider.close()
  await running.hms.stop()
}

beforeEach(async () => {
  running = await start()
})
afterEach(stop)

const MESSAGE = '{"android":{"notification":{"title":"hi"}}}'

function batchOf(targets: string[], message = MESSAGE, targetKind: Batch['targetKind'] = 'token'): Batch {
  return { uid: 'u', notification: { json: Buffer.from(message), headers: new Map() }, targetKind, targets }
}

function send(batch: Batch, signal = NEVER): Promise<Map<string, Outcome>> {
  return sendBatch(running.provider, batch, signal)
}

function acceptedTargets(): string[] {
  return running.hms.simulator.accepted.map((push) => push.target)
}

describe('the HMS provider', () => {
  it('sends up to a thousand tokens in one request', async () => {
    const many = tokens(2001)
    expect(kindsOf(await send(batchOf(many)))).toEqual(['sent'])
    expect(acceptedTargets().sort()).toEqual(many.sort())
    expect(running.hms.simulator.sendRequests).toBe(3)
  })

  it('sends to topics and conditions', async () => {
    expect(kindsOf(await send(batchOf(['news'], MESSAGE, 'topic')))).toEqual(['sent'])
    expect(kindsOf(await send(batchOf([`'a' in topics`], MESSAGE, 'condition')))).toEqual(['sent'])
    expect(running.hms.simulator.accepted).toMatchObject([
      { target_kind: 'topic', target: 'news', body: MESSAGE },
      { target_kind: 'condition', target: `'a' in topics`, body: MESSAGE },
    ])
  })

  it('ignores the targets in the message', async () => {
    await send(batchOf(['a'], '{"token":["mine"],"topic":"mine","data":"x"}'))
    expect(running.hms.simulator.accepted).toMatchObject([{ target: 'a', body: '{"data":"x"}' }])
  })

  it('settles the tokens of a partial success one by one, and repeats none of them', async () => {
    const good = tokens(100)
    const outcomes = await send(batchOf([...good.slice(0, 50), 'illegal-1', 'illegal-2', ...good.slice(50)]))
    for (const token of ['illegal-1', 'illegal-2']) {
      expect(outcomes.get(token)).toEqual({ kind: 'tokenGone', reason: '80100000' })
    }
    for (const token of good) expect(outcomes.get(token)?.kind).toBe('sent')
    expect(acceptedTargets().sort()).toEqual(good.sort())
    expect(running.hms.simulator.sendRequests).toBe(1)
  })

  it('reads a partial success that lists 999 long tokens', async () => {
    const dead = tokens(999, `illegal-${'x'.repeat(300)}`)
    const outcomes = await send(batchOf([...dead, 'good']))
    expect(outcomes.get('good')?.kind).toBe('sent')
    expect(dead.filter((token) => outcomes.get(token)?.kind === 'tokenGone')).toHaveLength(999)
  })

  it.each([
    ['parameter', { kind: 'rejected', reason: '80100001' }],
    ['sensitive', { kind: 'rejected', reason: '80100016' }],
    ['permission', { kind: 'rejected', reason: '80300002' }],
    ['invalid', { kind: 'rejected', reason: '80300007' }],
    ['unreadable', { kind: 'rejected', reason: '80100000' }],
    ['oauth', { kind: 'credential', reason: '80200001' }],
    ['timeout', { kind: 'credential', reason: '80200003' }],
    ['oauthservice', { ...RETRY, reason: '80600003' }],
    ['internal', { ...RETRY, reason: '81000001' }],
    ['traffic', { kind: 'retry', reason: 'HTTP_503', afterMs: 2000 }],
    ['html', { ...RETRY, reason: 'HTTP_502' }],
    ['huge', { ...RETRY, reason: 'HTTP_500' }],
    ['reset', { ...RETRY, reason: 'stream_reset', maybeDelivered: true }],
    ['cut', { ...RETRY, reason: 'connection_lost', maybeDelivered: true }],
  ])('settles all targets of a request with the fault %s, and none of another request', async (word, expected) => {
    const others = send(batchOf(tokens(10, 'other')))
    expect([...(await send(batchOf(['a', `${word}-1`, 'b']))).values()]).toEqual([expected, expected, expected])
    // A cut ends the other requests of the connection too.
    if (word !== 'cut') expect(kindsOf(await others)).toEqual(['sent'])
    await others
  })

  it.each(['slow', 'goaway', 'squeeze'])('delivers in spite of the fault %s', async (word) => {
    await restart({ slowMs: 50 })
    expect(kindsOf(await send(batchOf(['a', `${word}-1`])))).toEqual(['sent'])
    expect(kindsOf(await send(batchOf(['b'])))).toEqual(['sent'])
  })

  it('repeats a request that the server refused to process', async () => {
    expect(kindsOf(await send(batchOf(['a', 'refuse-once-1'])))).toEqual(['sent'])
    expect(acceptedTargets()).toEqual(['a', 'refuse-once-1'])
  })

  it('rejects a message that is too large before it is sent', async () => {
    const big = JSON.stringify({ data: 'x'.repeat(4090) })
    const outcomes = await send(batchOf(['a', 'b'], big))
    expect([...outcomes.values()]).toEqual([
      { kind: 'rejected', reason: '80300008' },
      { kind: 'rejected', reason: '80300008' },
    ])
    expect(running.hms.simulator.sendRequests).toBe(0)
    expect(kindsOf(await send(batchOf(['a'], JSON.stringify({ data: 'x'.repeat(4085) }))))).toEqual(['sent'])
  })

  it('rejects a message that Huawei refuses', async () => {
    const outcomes = await send(batchOf(['']))
    expect(outcomes.get('')).toEqual({ kind: 'rejected', reason: '80100003' })
  })
})

it('logs no token, secret or message, whatever the answers are', async ({ skip }) => {
  skip(isOnNodeHttp2, 'the client of the tests does not log its connections')
  const lines: string[] = []
  const log = keepLines((line) => lines.push(line))
  await restart({}, { logger: pino({ level: 'trace' }, log), requestTimeoutMs: 200 })
  for (const token of ['mine-1', 'illegal-1', 'oauth-1', 'html-1', 'hang-1', 'cut-1'])
    await send(batchOf([token, 'mine-2']))
  const written = lines.join('')
  expect(written).toContain(running.hms.simulator.origin)
  for (const secret of ['mine', 'illegal', 'oauth-1', 'title', running.hms.simulator.app.secret, 'simulated/']) {
    expect(written).not.toContain(secret)
  }
})

describe('the access token of the HMS provider', () => {
  it('is requested once for many pushes', async () => {
    await Promise.all([send(batchOf(tokens(200, 'a'))), send(batchOf(tokens(200, 'b')))])
    await send(batchOf(['c']))
    expect(running.hms.simulator.tokenRequests).toBe(1)
    expect(acceptedTargets()).toHaveLength(401)
  })

  it('is replaced once after it was revoked, and no push is lost', async () => {
    await send(batchOf(['a']))
    running.hms.simulator.revokeAccessTokens()
    expect(kindsOf(await send(batchOf(tokens(1500))))).toEqual(['sent'])
    expect(running.hms.simulator.tokenRequests).toBe(2)
  })

  it('is replaced once in each refused batch', async () => {
    for (let i = 0; i < 5; i++) expect(kindsOf(await send(batchOf(['oauth-1'])))).toEqual(['credential'])
    expect(running.hms.simulator.tokenRequests).toBe(6)
  })

  it('that is not issued to a refused app is a refused credential', async () => {
    await restart({}, { appSecret: 'another' })
    const outcomes = await send(batchOf(['a', 'b']))
    expect([...outcomes.values()]).toEqual([
      { kind: 'credential', reason: 'oauth_refused' },
      { kind: 'credential', reason: 'oauth_refused' },
    ])
  })
})

describe('the connection of the HMS provider', () => {
  it('without an answer makes the attempt ambiguous', async () => {
    await restart({}, { requestTimeoutMs: 300 })
    const outcomes = await send(batchOf(['hang-1', 'b']))
    const expected = { ...RETRY, reason: 'timeout', maybeDelivered: true }
    expect([...outcomes.values()]).toEqual([expected, expected])
  })

  it('that cannot be opened is an unambiguous retry', async () => {
    const gone = await startHmsSimulator()
    await gone.stop()
    await restart({}, { pushEndpoint: gone.simulator.origin })
    expect([...(await send(batchOf(['b']))).values()]).toEqual([{ kind: 'retry', reason: 'connect_failed' }])
  })

  it('resolves when the signal aborts, and leaves the targets without an answer unsettled', async () => {
    const abort = new AbortController()
    const sending = send(batchOf(['hang-1']), abort.signal)
    await running.hms.simulator.waitForAccepted(1)
    abort.abort()
    expect((await sending).size).toBe(0)
    expect((await send(batchOf(['a']), AbortSignal.abort())).size).toBe(0)
  })
})
