import { describe, expect, test } from 'vitest'
import type { BatchClaim } from '../queue/batch.ts'
import { SettledBatch } from './settled-batch.ts'

const lineOf = (value: string) => `d-${value}\t${value}\tu-${value}\tios`

function claimOf(...values: string[]): BatchClaim {
  return {
    id: '1',
    uid: 'u',
    fence: 1,
    lane: 'broadcast',
    provider: 'fcm',
    targetKind: 'token',
    lines: values.map(lineOf),
    count: values.length,
    attempt: 1,
    ambiguousAttempts: 0,
    ageMs: 0,
    expiresInMs: undefined,
    sendState: 'live',
    hasDrops: false,
    settled: undefined,
    isProbe: false,
  }
}

function settleBatch(claim: BatchClaim, skipped = 0): SettledBatch {
  const targets = claim.lines.map((line, place) => ({ line, place }))
  return new SettledBatch({ claim, targets: targets.slice(skipped), policy: { scale: 1, random: () => 0 } })
}

test('retries the targets that a retry can help, and no others', () => {
  const settled = settleBatch(claimOf('a', 'b', 'c', 'd'))
  settled.settle(0, { kind: 'sent', messageId: 'm' })
  settled.settle(1, { kind: 'retry', reason: 'UNAVAILABLE', minDelayMs: 10_000 })
  settled.settle(2, { kind: 'rejected', reason: 'INVALID_ARGUMENT' })
  settled.settle(3, { kind: 'tokenGone', reason: 'UNREGISTERED' })
  expect(settled.left()).toEqual({
    retries: [{ lines: lineOf('b'), count: 1, delayMs: 10_000, ambiguousAttempts: 0 }],
    givenUp: [],
    expired: 0,
  })
  expect(settled.goneTokens()).toEqual([{ deviceId: 'd-d', token: 'd', sinceMs: undefined }])
})

test('keeps targets with the same answer together, and those that wait differently apart', () => {
  const settled = settleBatch(claimOf('a', 'b', 'c'))
  settled.settle(0, { kind: 'retry', reason: 'QUOTA_EXCEEDED', afterMs: 5000 })
  settled.settle(1, { kind: 'retry', reason: 'QUOTA_EXCEEDED', afterMs: 9000 })
  settled.settle(2, { kind: 'retry', reason: 'QUOTA_EXCEEDED', afterMs: 5000 })
  expect(settled.left().retries).toEqual([
    { lines: `${lineOf('a')}\n${lineOf('c')}`, count: 2, delayMs: 5000, ambiguousAttempts: 0 },
    { lines: lineOf('b'), count: 1, delayMs: 9000, ambiguousAttempts: 0 },
  ])
})

test('gives what was not settled back at once, without counting it as delivered', () => {
  const settled = settleBatch(claimOf('a', 'b'))
  settled.settle(0, { kind: 'sent', messageId: 'm' })
  expect(settled.left().retries).toEqual([{ lines: lineOf('b'), count: 1, delayMs: 0, ambiguousAttempts: 0 }])
})

test('gives up with its reason a target that may have been delivered five times', () => {
  const settled = settleBatch({ ...claimOf('a', 'b'), ambiguousAttempts: 4 })
  settled.settle(0, { kind: 'retry', reason: 'timeout', maybeDelivered: true })
  settled.settle(1, { kind: 'sent', messageId: 'm' })
  expect(settled.left()).toEqual({
    retries: [],
    givenUp: [{ lines: lineOf('a'), count: 1, reason: 'timeout' }],
    expired: 0,
  })
})

test('counts as expired what could only be tried again after its send has expired', () => {
  const settled = settleBatch({ ...claimOf('a'), expiresInMs: 5000 })
  settled.settle(0, { kind: 'retry', reason: 'UNAVAILABLE', minDelayMs: 10_000 })
  expect(settled.left()).toEqual({ retries: [], givenUp: [], expired: 1 })
})

test('tells which targets of the batch are settled, those left out from the start included', () => {
  const values = Array.from({ length: 11 }, (_, i) => `t${i}`)
  const settled = settleBatch(claimOf(...values), 9)
  expect([...settled.settledBits()]).toEqual([0b11111111, 0b11111001])
  settled.settle(1, { kind: 'rejected', reason: 'INVALID_ARGUMENT' })
  settled.settle(0, { kind: 'retry', reason: 'UNAVAILABLE' })
  expect([...settled.settledBits()]).toEqual([0b11111111, 0b11111101])
})

describe('what waits for its limits', () => {
  const targetsOf = ({ lines }: BatchClaim) => lines.map((line, place) => ({ line, place }))

  function holdLast(claim: BatchClaim, delayMs: number): SettledBatch {
    const targets = targetsOf(claim)
    const held = [{ targets: targets.slice(-1), delayMs }]
    return new SettledBatch({ claim, targets: targets.slice(0, -1), held, policy: { scale: 1, random: () => 0 } })
  }

  test('goes back as it is, without an attempt, however old it is', () => {
    const settled = holdLast({ ...claimOf('a', 'b'), attempt: 9, ageMs: 48 * 3_600_000, ambiguousAttempts: 2 }, 5000)
    settled.settle(0, { kind: 'sent', messageId: 'm' })
    expect(settled.left()).toEqual({
      retries: [{ lines: lineOf('b'), count: 1, delayMs: 5000, ambiguousAttempts: 2, startsOver: true }],
      givenUp: [],
      expired: 0,
    })
  })

  test('is not noted as settled, or a worker that dies would lose it', () => {
    const settled = holdLast(claimOf('a', 'b'), 5000)
    settled.settle(0, { kind: 'sent', messageId: 'm' })
    expect((settled.settledBits()[0] ?? 0) & 0b11).toBe(0b01)
  })

  test('is over where its send expires before', () => {
    const settled = holdLast({ ...claimOf('a', 'b'), expiresInMs: 4000 }, 5000)
    settled.settle(0, { kind: 'sent', messageId: 'm' })
    expect(settled.left()).toEqual({ retries: [], givenUp: [], expired: 1 })
  })
})
