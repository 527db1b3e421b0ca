// Attempts that count and attempts that do not, against a simulator that cuts connections on demand.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CircuitBreaker } from '../../src/http2/circuit-breaker.ts'
import { FcmProvider } from '../../src/providers/fcm/fcm.ts'
import type { Outcome } from '../../src/providers/provider.ts'
import { loadServiceAccount, startFcmSimulator, type TestFcmSimulator } from '../support/fcm-simulator.ts'
import { makeTestLogger } from '../support/run-log.ts'
import { sendBatch } from '../support/send-batch.ts'

/** More than the time after which failures alone are an outage. */
const PAUSE_MS = 3500

let fcm: TestFcmSimulator
let provider: FcmProvider
let nowMs = 0

beforeEach(async () => {
  nowMs = 0
  fcm = await startFcmSimulator()
  const { origin, files } = fcm.simulator
  provider = new FcmProvider({
    account: await loadServiceAccount(files.credentials),
    pushEndpoint: origin,
    authEndpoint: origin,
    ca: fcm.ca,
    logger: makeTestLogger(),
    // Failures begin, and answers come, when they are reported, because the pool has another clock.
    makeBreaker: (_, options) => {
      const breaker = new CircuitBreaker({ ...options, nowMs: () => nowMs })
      const onFailure = breaker.onFailure.bind(breaker)
      breaker.onFailure = (cause) => onFailure(cause)
      const onAnswer = breaker.onAnswer.bind(breaker)
      breaker.onAnswer = () => onAnswer()
      return breaker
    },
  })
})
afterEach(async () => {
  await provider.close()
  await fcm.stop()
})

async function send(target: string): Promise<Outcome | undefined> {
  const notification = { json: Buffer.from('{}'), headers: new Map() }
  const outcomes = await sendBatch(provider, { uid: 'u', notification, targetKind: 'token', targets: [target] })
  nowMs += PAUSE_MS
  return outcomes.get(target)
}

test('a target that always cuts the connection uses up its attempts while others get answers', async () => {
  for (let attempt = 1; attempt <= 5; attempt++) {
    expect(await send('cut-always')).toEqual({
      kind: 'retry',
      reason: 'connection_lost',
      minDelayMs: 10_000,
      maybeDelivered: true,
    })
    expect(await send(`other-${attempt}`)).toMatchObject({ kind: 'sent' })
  }
  expect(provider.availability.state).toBe('up')
})

test('a target whose stream is always reset uses up its attempts, also when nothing else is sent', async () => {
  for (let attempt = 1; attempt <= 5; attempt++) {
    const outcome = await send('reset-always')
    expect(outcome).toEqual({ kind: 'retry', reason: 'stream_reset', minDelayMs: 10_000, maybeDelivered: true })
    nowMs += 30_000
  }
  expect(provider.availability.state).toBe('probe')
})

test('attempts do not count while nothing else comes back, and the first answer ends that', async () => {
  await send('cut-1')
  expect(await send('cut-2')).toMatchObject({ maybeDelivered: true, outageDelayMs: 1000 })
  expect(provider.availability.state).toBe('probe')
  expect(await send('cut-3')).toMatchObject({ maybeDelivered: true, outageDelayMs: 2000 })
  nowMs -= PAUSE_MS - 1
  expect(provider.availability.state).toBe('down')
  expect(await send('other')).toEqual({ kind: 'retry', reason: 'origin_down', outageDelayMs: 2000 })
  expect(await send('other')).toMatchObject({ kind: 'sent' })
  nowMs += 10_000
  expect(provider.availability.state).toBe('up')
})
