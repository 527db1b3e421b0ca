import { expect, test } from 'vitest'
import type { BatchClaim } from '../queue/queue.ts'
import { SettledBatch } from './settled-batch.ts'

function claimOf(...values: string[]): BatchClaim {
  return {
    id: '1',
    uid: 'u',
    fence: 1,
    lane: 'broadcast',
    provider: 'fcm',
    targetKind: 'token',
    targets: values.map((value) => ({ deviceId: `d-${value}`, value })),
    attempt: 1,
    ambiguousAttempts: 0,
    ageMs: 0,
    expiresInMs: undefined,
    sendState: 'live',
  }
}

const policy = { scale: 1, random: () => 0 }

test('retries the targets that a retry can help, and no others', () => {
  const settled = new SettledBatch({ claim: claimOf('a', 'b', 'c', 'd'), policy })
  settled.settle(0, { kind: 'sent', messageId: 'm' })
  settled.settle(1, { kind: 'retry', reason: 'UNAVAILABLE', minDelayMs: 10_000 })
  settled.settle(2, { kind: 'rejected', reason: 'INVALID_ARGUMENT' })
  settled.settle(3, { kind: 'tokenGone', reason: 'UNREGISTERED' })
  expect(settled.retries()).toEqual({
    retries: [{ targets: [{ deviceId: 'd-b', value: 'b' }], delayMs: 10_000, ambiguousAttempts: 0 }],
    givenUp: 0,
  })
  expect(settled.goneTokens()).toEqual([{ deviceId: 'd-d', token: 'd', sinceMs: undefined }])
})

test('keeps targets with the same answer together, and those that wait differently apart', () => {
  const settled = new SettledBatch({ claim: claimOf('a', 'b', 'c'), policy })
  settled.settle(0, { kind: 'retry', reason: 'QUOTA_EXCEEDED', afterMs: 5000 })
  settled.settle(1, { kind: 'retry', reason: 'QUOTA_EXCEEDED', afterMs: 9000 })
  settled.settle(2, { kind: 'retry', reason: 'QUOTA_EXCEEDED', afterMs: 5000 })
  const { retries } = settled.retries()
  expect(retries.map(({ delayMs, targets }) => [delayMs, targets.map((target) => target.value)])).toEqual([
    [5000, ['a', 'c']],
    [9000, ['b']],
  ])
})

test('gives what was not settled back at once, without counting it as delivered', () => {
  const settled = new SettledBatch({ claim: claimOf('a', 'b'), policy })
  settled.settle(0, { kind: 'sent', messageId: 'm' })
  const { retries } = settled.retries()
  expect(retries).toEqual([{ targets: [{ deviceId: 'd-b', value: 'b' }], delayMs: 0, ambiguousAttempts: 0 }])
})

test('counts an attempt that may have been delivered against its target', () => {
  const claim = { ...claimOf('a'), ambiguousAttempts: 4 }
  const settled = new SettledBatch({ claim, policy })
  settled.settle(0, { kind: 'retry', reason: 'timeout', maybeDelivered: true })
  expect(settled.retries()).toEqual({ retries: [], givenUp: 1 })
})
