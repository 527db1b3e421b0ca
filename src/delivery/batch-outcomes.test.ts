import { describe, expect, test } from 'vitest'
import { RANGE_DEVICES } from '../queue/batch.ts'
import { BatchOutcomes } from './batch-outcomes.ts'
import type { OpenBatch } from './open-batch.ts'

const lineOf = (value: string) => `d-${value}\t${value}\tu-${value}\tios`
const stored = (...values: string[]) => ({
  targets: { kind: 'lines', lines: values.map(lineOf).join('\n') },
  count: values.length,
})

function batchOf(...values: string[]): OpenBatch {
  return {
    id: '1',
    uid: 'u',
    analyticsUid: 'u',
    fence: 1,
    lane: 'broadcast',
    provider: 'fcm',
    targetKind: 'token',
    lines: values.map(lineOf),
    isRange: false,
    skipped: [],
    rest: undefined,
    count: values.length,
    attempt: 1,
    isRetry: false,
    ambiguousAttempts: 0,
    ageMs: 0,
    expiresInMs: undefined,
    sendState: 'live',
    hasExclusions: false,
    finished: undefined,
    finishedNote: '',
    isProbe: false,
  }
}

/** @param finished targets at the start of the batch that are finished */
function startAttempt(batch: OpenBatch, finished = 0): BatchOutcomes {
  const targets = batch.lines.map((line, place) => ({ line, place }))
  return new BatchOutcomes({ batch, targets: targets.slice(finished), policy: { scale: 1, random: () => 0 } })
}

test('retries the targets that a retry can help, and no others', () => {
  const outcomes = startAttempt(batchOf('a', 'b', 'c', 'd'))
  outcomes.settle(0, { kind: 'sent', messageId: 'm' })
  outcomes.settle(1, { kind: 'retry', reason: 'UNAVAILABLE', minDelayMs: 10_000 })
  outcomes.settle(2, { kind: 'rejected', reason: 'INVALID_ARGUMENT' })
  outcomes.settle(3, { kind: 'tokenGone', reason: 'UNREGISTERED' })
  expect(outcomes.unfinished()).toEqual({
    retries: [{ ...stored('b'), delayMs: 10_000, ambiguousAttempts: 0 }],
    givenUp: [],
    ended: [],
    postponed: [{ reason: 'UNAVAILABLE', message: '', lines: [lineOf('b')], latenciesMs: [expect.any(Number)] }],
  })
  expect(outcomes.takeEnded()).toEqual([
    { outcome: 'sent', reason: '', message: '', lines: [lineOf('a')], messageIds: ['m'] },
    { outcome: 'failed', reason: 'INVALID_ARGUMENT', message: '', lines: [lineOf('c')] },
    { outcome: 'failed', reason: 'UNREGISTERED', message: '', lines: [lineOf('d')] },
  ])
  expect(outcomes.takeEnded()).toEqual([])
  expect(outcomes.goneTokens()).toEqual([{ deviceId: 'd-d', token: 'd', sinceMs: undefined }])
})

test('keeps targets with the same answer in one retry, and those with different delays apart', () => {
  const outcomes = startAttempt(batchOf('a', 'b', 'c'))
  outcomes.settle(0, { kind: 'retry', reason: 'QUOTA_EXCEEDED', afterMs: 5000 })
  outcomes.settle(1, { kind: 'retry', reason: 'QUOTA_EXCEEDED', afterMs: 9000 })
  outcomes.settle(2, { kind: 'retry', reason: 'QUOTA_EXCEEDED', afterMs: 5000 })
  expect(outcomes.unfinished().retries).toEqual([
    { ...stored('a', 'c'), delayMs: 5000, ambiguousAttempts: 0 },
    { ...stored('b'), delayMs: 9000, ambiguousAttempts: 0 },
  ])
})

test('retries targets without an outcome at once, and counts no ambiguous attempt', () => {
  const outcomes = startAttempt(batchOf('a', 'b'))
  outcomes.settle(0, { kind: 'sent', messageId: 'm' })
  expect(outcomes.unfinished().retries).toEqual([{ ...stored('b'), delayMs: 0, ambiguousAttempts: 0 }])
})

test('gives up a target after its fifth ambiguous attempt, with the reason', () => {
  const outcomes = startAttempt({ ...batchOf('a', 'b'), ambiguousAttempts: 4 })
  outcomes.settle(0, { kind: 'retry', reason: 'timeout', maybeDelivered: true })
  outcomes.settle(1, { kind: 'sent', messageId: 'm' })
  expect(outcomes.unfinished()).toEqual({
    retries: [],
    givenUp: [{ ...stored('a'), reason: 'timeout' }],
    ended: [{ outcome: 'failed', reason: 'timeout', message: 'given up after attempt 1', lines: [lineOf('a')] }],
    postponed: [],
  })
})

test('counts targets as expired if their send expires before the next attempt', () => {
  const outcomes = startAttempt({ ...batchOf('a'), expiresInMs: 5000 })
  outcomes.settle(0, { kind: 'retry', reason: 'UNAVAILABLE', minDelayMs: 10_000 })
  expect(outcomes.unfinished()).toMatchObject({
    retries: [],
    givenUp: [],
    ended: [{ outcome: 'expired', lines: [lineOf('a')] }],
    postponed: [],
  })
})

test('sets the bits of finished targets, also of those that were finished before the attempt', () => {
  const values = Array.from({ length: 11 }, (_, i) => `t${i}`)
  const outcomes = startAttempt(batchOf(...values), 9)
  expect([...outcomes.finishedBits()]).toEqual([0b11111111, 0b11111001])
  outcomes.settle(1, { kind: 'rejected', reason: 'INVALID_ARGUMENT' })
  outcomes.settle(0, { kind: 'retry', reason: 'UNAVAILABLE' })
  expect([...outcomes.finishedBits()]).toEqual([0b11111111, 0b11111101])
})

describe('a target that a limit delays', () => {
  function delayLast(batch: OpenBatch, delayMs: number): BatchOutcomes {
    const targets = batch.lines.map((line, place) => ({ line, place }))
    const delayed = [{ targets: targets.slice(-1), delayMs, reason: 'rate_limited' as const }]
    return new BatchOutcomes({ batch, targets: targets.slice(0, -1), delayed, policy: { scale: 1, random: () => 0 } })
  }

  test('is a retry that counts no attempt, however old the batch is', () => {
    const outcomes = delayLast({ ...batchOf('a', 'b'), attempt: 9, ageMs: 48 * 3_600_000, ambiguousAttempts: 2 }, 5000)
    outcomes.settle(0, { kind: 'sent', messageId: 'm' })
    expect(outcomes.unfinished()).toEqual({
      retries: [{ ...stored('b'), delayMs: 5000, ambiguousAttempts: 2, startsOver: true }],
      givenUp: [],
      ended: [],
      postponed: [{ reason: 'rate_limited', message: '', lines: [lineOf('b')] }],
    })
  })

  test('is not finished: the next claim after a crash includes it', () => {
    const outcomes = delayLast(batchOf('a', 'b'), 5000)
    outcomes.settle(0, { kind: 'sent', messageId: 'm' })
    expect((outcomes.finishedBits()[0] ?? 0) & 0b11).toBe(0b01)
  })

  test('expires if its send expires before the delay ends', () => {
    const outcomes = delayLast({ ...batchOf('a', 'b'), expiresInMs: 4000 }, 5000)
    outcomes.settle(0, { kind: 'sent', messageId: 'm' })
    expect(outcomes.unfinished()).toMatchObject({
      retries: [],
      givenUp: [],
      ended: [{ outcome: 'expired', lines: [lineOf('b')] }],
      postponed: [],
    })
  })
})

describe('the rest of a range', () => {
  const rest = { after: 'd-b', until: 'd-z' }

  test('is a retry of its own, due at once, that counts no attempt', () => {
    const outcomes = startAttempt({ ...batchOf('a', 'b'), rest, attempt: 3, ambiguousAttempts: 2 })
    outcomes.settle(0, { kind: 'sent', messageId: 'm' })
    outcomes.settle(1, { kind: 'sent', messageId: 'm' })
    expect(outcomes.unfinished()).toEqual({
      retries: [
        {
          targets: { kind: 'range', range: rest },
          count: RANGE_DEVICES,
          delayMs: 0,
          ambiguousAttempts: 0,
          startsOver: true,
        },
      ],
      givenUp: [],
      ended: [],
      postponed: [],
    })
  })

  test('is stored beside the retries of targets', () => {
    const outcomes = startAttempt({ ...batchOf('a'), rest })
    outcomes.settle(0, { kind: 'retry', reason: 'UNAVAILABLE', minDelayMs: 10_000 })
    expect(outcomes.unfinished().retries).toMatchObject([
      { ...stored('a'), delayMs: 10_000 },
      { targets: { kind: 'range', range: rest } },
    ])
  })
})

test('does not count an ambiguous attempt in an outage of the provider', () => {
  const outcomes = startAttempt({ ...batchOf('a', 'b'), ambiguousAttempts: 3 })
  const outcome = { kind: 'retry', reason: 'timeout', maybeDelivered: true } as const
  outcomes.settle(0, outcome)
  outcomes.settle(1, { ...outcome, outageDelayMs: 1000 })
  expect(outcomes.unfinished().retries).toMatchObject([
    { ...stored('a'), ambiguousAttempts: 4 },
    { ...stored('b'), ambiguousAttempts: 3 },
  ])
})
