import { describe, expect, it } from 'vitest'
import type { Http2Answer } from '../../http2/http2-client.ts'
import { Http2Error } from '../../http2/http2-error.ts'
import type { Outcome } from '../provider.ts'
import { collectRefusals, type RefusedTargets } from './refused-targets.ts'

const WITHDRAWN = new Http2Error('aborted', 'aborted')

function answerWith(status: number): Http2Answer {
  const empty = { header: () => undefined, bodyLength: 0, bodyText: () => '', bodyBytes: () => Buffer.alloc(0) }
  return { status, ...empty }
}

/** An attempt to send to the targets 10 to 13 of a batch. A status other than 200 refuses the credential. */
function setUp() {
  const cancelled = new Set<number>()
  const outcomes = new Map<number, Outcome>()
  const refused: RefusedTargets = { indices: [], outcome: undefined }
  const abort = new AbortController()
  const callbacks = collectRefusals({
    batch: {
      uid: 'u',
      notification: { json: Buffer.from('{}'), headers: new Map() },
      targetKind: 'token',
      targets: Array.from({ length: 20 }, (_, index) => `target-${index}`),
      isWithdrawn: (index) => cancelled.has(index),
    },
    indices: [10, 11, 12, 13],
    settle: (index, outcome) => outcomes.set(index, outcome),
    signal: abort.signal,
    minRetryDelayMs: 10_000,
    refused,
    outcomeOf: ({ status }, index) =>
      status === 200 ? { kind: 'sent', messageId: `m${index}` } : { kind: 'credential', reason: `HTTP_${status}` },
  })
  return { abort, callbacks, cancelled, outcomes, refused }
}

describe('the refusals of an attempt', () => {
  it('are collected under the first reason, and other targets are settled', () => {
    const { callbacks, outcomes, refused } = setUp()
    callbacks.onAnswer(0, answerWith(200))
    callbacks.onAnswer(2, answerWith(401))
    callbacks.onAnswer(3, answerWith(403))
    expect([...outcomes]).toEqual([[10, { kind: 'sent', messageId: 'm10' }]])
    expect(refused).toEqual({ indices: [12, 13], outcome: { kind: 'credential', reason: 'HTTP_401' } })
  })

  it('withdraw the requests that are not sent yet, and their targets count as refused', () => {
    const { callbacks, outcomes, refused } = setUp()
    expect(callbacks.isWithdrawn?.(1)).toBe(false)
    callbacks.onAnswer(0, answerWith(401))
    expect(callbacks.isWithdrawn?.(1)).toBe(true)
    callbacks.onFailure(1, WITHDRAWN)
    expect(refused.indices).toEqual([10, 11])
    expect(outcomes.size).toBe(0)
  })

  it('do not include cancelled targets, which stay unsettled', () => {
    const { callbacks, cancelled, outcomes, refused } = setUp()
    cancelled.add(11)
    expect(callbacks.isWithdrawn?.(1)).toBe(true)
    callbacks.onAnswer(0, answerWith(401))
    callbacks.onFailure(1, WITHDRAWN)
    expect(refused.indices).toEqual([10])
    expect(outcomes.size).toBe(0)
  })

  it('do not include targets of an aborted batch, which stay unsettled', () => {
    const { abort, callbacks, outcomes, refused } = setUp()
    callbacks.onAnswer(0, answerWith(401))
    abort.abort()
    callbacks.onFailure(1, WITHDRAWN)
    expect(refused.indices).toEqual([10])
    expect(outcomes.size).toBe(0)
  })

  it('do not include requests that got no answer, which have outcomes of their own', () => {
    const { callbacks, outcomes, refused } = setUp()
    callbacks.onAnswer(0, answerWith(401))
    callbacks.onFailure(1, new Http2Error('ambiguous', 'timeout'))
    expect(outcomes.get(11)).toMatchObject({ kind: 'retry', reason: 'timeout', maybeDelivered: true })
    expect(refused.indices).toEqual([10])
  })
})
