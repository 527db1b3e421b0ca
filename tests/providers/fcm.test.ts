import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Http2Batch } from '../../src/http2/http2-client.ts'
import { Http2Pool } from '../../src/http2/http2-pool.ts'
import { FcmProvider } from '../../src/providers/fcm/fcm.ts'
import type { Batch, Outcome } from '../../src/providers/provider.ts'
import type { FcmSimulatorOptions } from '../../src/simulators/fcm/fcm-simulator.ts'
import { loadServiceAccount, startFcmSimulator, type TestFcmSimulator } from '../support/fcm-simulator.ts'
import { openHttp2Client } from '../support/http2-client.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { kindsOf, NEVER, sendBatch, tokens } from '../support/send-batch.ts'

const logger = makeTestLogger()

let running: { fcm: TestFcmSimulator; provider: FcmProvider }

async function start(
  options: Omit<FcmSimulatorOptions, 'directory'> = {},
  limits: { requestTimeoutMs?: number; maxConnections?: number; projectId?: string } = {},
): Promise<typeof running> {
  const fcm = await startFcmSimulator(options)
  const { projectId, ...rest } = limits
  const account = await loadServiceAccount(fcm.simulator.files.credentials)
  const provider = new FcmProvider({
    account: projectId ? { ...account, projectId } : account,
    pushEndpoint: fcm.simulator.origin,
    authEndpoint: fcm.simulator.origin,
    ca: fcm.ca,
    logger,
    openClient: openHttp2Client,
    ...rest,
  })
  return { fcm, provider }
}

async function restart(...args: Parameters<typeof start>): Promise<void> {
  await stop()
  running = await start(...args)
}

async function stop(): Promise<void> {
  await running.provider.close()
  await running.fcm.stop()
}

beforeEach(async () => {
  running = await start()
})
afterEach(stop)

function batchOf(
  targets: string[],
  message = '{"notification":{"title":"hi"}}',
  targetKind: Batch['targetKind'] = 'token',
) {
  return { uid: 'u', notification: { json: Buffer.from(message), headers: new Map() }, targetKind, targets }
}

function send(batch: Batch, signal = NEVER): Promise<Map<string, Outcome>> {
  return sendBatch(running.provider, batch, signal)
}

function acceptedTargets(): string[] {
  return running.fcm.simulator.accepted.map((push) => push.target)
}

describe('the FCM provider', () => {
  it('delivers the message byte for byte', async () => {
    const payload = '{"n":12345678901234567890,"f":1.0,"f":1.00}'
    const members = String.raw` "data" : {"a":"1","a":"\u00e9\/\""} , "apns":{"payload":${payload}} `
    await send(batchOf(['a"b', 'ü'], `{"token":"mine",${members}}`))
    expect(running.fcm.simulator.accepted.map((push) => push.body).sort()).toEqual([
      `{"message":{"token":"a\\"b",${members}}}`,
      `{"message":{"token":"ü",${members}}}`,
    ])
  })

  it('sends to topics and conditions', async () => {
    expect(kindsOf(await send(batchOf(['news'], '{}', 'topic')))).toEqual(['sent'])
    expect(kindsOf(await send(batchOf([`'a' in topics`], '{}', 'condition')))).toEqual(['sent'])
    expect(running.fcm.simulator.accepted.map((push) => push.target_kind)).toEqual(['topic', 'condition'])
  })

  it('settles each target by its own answer', async () => {
    const faulty = {
      'unregistered-1': { kind: 'tokenGone', reason: 'UNREGISTERED' },
      'invalid-1': { kind: 'rejected', reason: 'INVALID_ARGUMENT' },
      'senderid-1': { kind: 'rejected', reason: 'SENDER_ID_MISMATCH' },
      'quota-1': { kind: 'retry', reason: 'QUOTA_EXCEEDED', afterMs: 2000 },
      'unavailable-1': { kind: 'retry', reason: 'UNAVAILABLE', minDelayMs: 10_000 },
      'internal-1': { kind: 'retry', reason: 'INTERNAL', minDelayMs: 10_000 },
      'html-1': { kind: 'retry', reason: 'HTTP_502', minDelayMs: 10_000 },
      'reset-1': { kind: 'retry', reason: 'stream_reset', minDelayMs: 10_000, maybeDelivered: true },
    }
    const good = tokens(20)
    const outcomes = await send(batchOf([...good.slice(0, 10), ...Object.keys(faulty), ...good.slice(10)]))
    for (const [target, outcome] of Object.entries(faulty))
      expect([target, outcomes.get(target)]).toEqual([target, outcome])
    for (const target of good) expect(outcomes.get(target)?.kind).toBe('sent')
    expect(acceptedTargets().sort()).toEqual([...good, 'reset-1'].sort())
  })

  it('settles a temporary failure as retry, and succeeds at the next attempt', async () => {
    expect(kindsOf(await send(batchOf(['unavailable-once-1'])))).toEqual(['retry'])
    expect(kindsOf(await send(batchOf(['unavailable-once-1'])))).toEqual(['sent'])
  })

  it('rejects a message that FCM refuses', async () => {
    const outcomes = await send(batchOf(['a'], '{"data":{"n":1}}'))
    expect(outcomes.get('a')).toEqual({ kind: 'rejected', reason: 'HTTP_400', field: 'message.data.n' })
    const big = await send(batchOf(['a'], JSON.stringify({ data: { text: 'x'.repeat(4096) } })))
    expect(big.get('a')).toEqual({ kind: 'rejected', reason: 'INVALID_ARGUMENT' })
  })

  it('opens no more connections than the targets need streams', async () => {
    const many = tokens(1500)
    expect(kindsOf(await send(batchOf(many)))).toEqual(['sent'])
    expect(acceptedTargets().sort()).toEqual(many.sort())
    expect(running.fcm.simulator.connections).toBeLessThanOrEqual(1500 / 100)
    expect(running.fcm.simulator.peakStreams).toBeLessThanOrEqual(100)
  })

  it('opens no more connections than `maxConnections`', async () => {
    await restart({}, { maxConnections: 3 })
    const many = tokens(1500)
    expect(kindsOf(await send(batchOf(many)))).toEqual(['sent'])
    expect(acceptedTargets().sort()).toEqual(many.sort())
    expect(running.fcm.simulator.connections).toBe(3)
    expect(running.fcm.simulator.peakStreams).toBeLessThanOrEqual(100)
  })

  it('never opens more streams than the server allows', async () => {
    await restart({ slowMs: 50 }, { maxConnections: 1 })
    expect(kindsOf(await send(batchOf(tokens(350, 'slow-once'))))).toEqual(['sent'])
    expect(running.fcm.simulator.peakStreams).toBe(100)
  })
})

describe('the access token of the FCM provider', () => {
  it('is requested once for many pushes', async () => {
    await Promise.all([send(batchOf(tokens(200, 'a'))), send(batchOf(tokens(200, 'b')))])
    await send(batchOf(['c']))
    expect(running.fcm.simulator.tokenRequests).toBe(1)
    expect(acceptedTargets()).toHaveLength(401)
  })

  it('is replaced once after it was revoked, and no push is lost', async () => {
    await send(batchOf(['a']))
    running.fcm.simulator.revokeAccessTokens()
    expect(kindsOf(await send(batchOf(tokens(150))))).toEqual(['sent'])
    expect(running.fcm.simulator.tokenRequests).toBe(2)
  })

  it('is not used after its end', async () => {
    await restart({ accessTokenSeconds: 1 })
    await send(batchOf(['a']))
    await send(batchOf(['b']))
    expect(running.fcm.simulator.tokenRequests).toBe(2)
  })

  it('is replaced once for a batch that the project refuses, and then the credential is refused', async () => {
    await restart({}, { projectId: 'another-project' })
    const outcomes = await send(batchOf(tokens(150)))
    expect([...outcomes.values()]).toEqual(tokens(150).map(() => ({ kind: 'credential', reason: 'HTTP_403' })))
    expect(running.fcm.simulator.tokenRequests).toBe(2)
  })

  it('that is refused stops the requests of the batch', async () => {
    let answers = 0
    const account = await loadServiceAccount(running.fcm.simulator.files.credentials)
    const provider = new FcmProvider({
      account: { ...account, projectId: 'another-project' },
      pushEndpoint: running.fcm.simulator.origin,
      authEndpoint: running.fcm.simulator.origin,
      ca: running.fcm.ca,
      maxConnections: 1,
      logger,
      openClient: (options) => {
        const pool = new Http2Pool(options)
        const countAnswers = (batch: Http2Batch): Http2Batch => ({
          ...batch,
          onAnswer: (index, answer) => {
            answers++
            batch.onAnswer(index, answer)
          },
        })
        return {
          send: (batch) => pool.send(countAnswers(batch)),
          request: (request) => pool.request(request),
          close: () => pool.close(),
        }
      },
    })
    const outcomes = new Map<number, Outcome>()
    await provider.send(batchOf(tokens(2000)), (index, outcome) => outcomes.set(index, outcome), NEVER)
    await provider.close()
    expect(outcomes.size).toBe(2000)
    expect(kindsOf(new Map([...outcomes].map(([index, outcome]) => [String(index), outcome])))).toEqual(['credential'])
    // The requests in flight at the first refusal, on one connection of 100 streams, for both tokens.
    expect(answers).toBeLessThanOrEqual(400)
  })

  it('that is not issued to a refused account is a refused credential', async () => {
    const other = await startFcmSimulator()
    const provider = new FcmProvider({
      account: await loadServiceAccount(other.simulator.files.credentials),
      pushEndpoint: running.fcm.simulator.origin,
      authEndpoint: running.fcm.simulator.origin,
      ca: running.fcm.ca,
      logger,
    })
    const outcomes: Outcome[] = []
    await provider.send(batchOf(['a']), (_, outcome) => outcomes.push(outcome), NEVER)
    expect(outcomes).toEqual([{ kind: 'credential', reason: 'oauth_refused' }])
    await provider.close()
    await other.stop()
  })
})

describe('the connection of the FCM provider', () => {
  it('loses no push and repeats none when the server sends GOAWAY in the middle of a batch', async () => {
    running.fcm.simulator.goawayAfter(30)
    const targets = tokens(250)
    expect(kindsOf(await send(batchOf(targets)))).toEqual(['sent'])
    expect(acceptedTargets().sort()).toEqual(targets.sort())
    expect(running.fcm.simulator.goawaysSent).toBe(1)
  })

  it('without an answer to a push makes this attempt ambiguous, and no other', async () => {
    await restart({}, { requestTimeoutMs: 300 })
    const outcomes = await send(batchOf(['a', 'hang-1', 'b']))
    expect(outcomes.get('hang-1')).toEqual({
      kind: 'retry',
      reason: 'timeout',
      minDelayMs: 10_000,
      maybeDelivered: true,
    })
    expect([outcomes.get('a')?.kind, outcomes.get('b')?.kind]).toEqual(['sent', 'sent'])
  })

  it('that cannot be opened is an unambiguous retry', async () => {
    await send(batchOf(['a']))
    await running.fcm.simulator.stop()
    const outcomes = await send(batchOf(['b', 'c']))
    expect([...outcomes.values()]).toEqual([
      { kind: 'retry', reason: 'connect_failed' },
      { kind: 'retry', reason: 'connect_failed' },
    ])
  })

  it('does not trust a certificate of an unknown authority', async () => {
    const provider = new FcmProvider({
      account: await loadServiceAccount(running.fcm.simulator.files.credentials),
      pushEndpoint: running.fcm.simulator.origin,
      authEndpoint: running.fcm.simulator.origin,
      logger,
    })
    const outcomes: Outcome[] = []
    await provider.send(batchOf(['a']), (_, outcome) => outcomes.push(outcome), NEVER)
    expect(outcomes).toEqual([{ kind: 'retry', reason: 'oauth_unavailable', minDelayMs: 10_000 }])
    await provider.close()
  })

  it('resolves when the signal aborts, and leaves the targets without an answer unsettled', async () => {
    const abort = new AbortController()
    const sending = send(batchOf(['a', 'hang-1', 'hang-2']), abort.signal)
    await running.fcm.simulator.waitForAccepted(3)
    await send(batchOf(['b']))
    abort.abort()
    const outcomes = await sending
    expect([...outcomes.keys()]).toEqual(['a'])
  })

  it('sends nothing if the signal is already aborted', async () => {
    expect((await send(batchOf(['a']), AbortSignal.abort())).size).toBe(0)
    expect(acceptedTargets()).toEqual([])
  })

  it('finishes the requests in flight when it is closed', async () => {
    await restart({ slowMs: 200 })
    const sending = send(batchOf(tokens(50, 'slow')))
    await running.fcm.simulator.waitForAccepted(50)
    await running.provider.close()
    expect(kindsOf(await sending)).toEqual(['sent'])
    expect(kindsOf(await send(batchOf(['late'])))).toEqual(['retry'])
    await running.provider.close()
  })
})

describe('the log of the FCM simulator', () => {
  it('contains every answered push', async () => {
    await send(batchOf(tokens(20)))
    const lines = (await readFile(running.fcm.simulator.files.log, 'utf8')).trim().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual(running.fcm.simulator.accepted)
  })
})
