import { beforeEach, describe, expect, test, vi } from 'vitest'
import { fc } from '../../tests/support/fast-check.ts'
import { CircuitBreaker, DEFAULT_BREAKER_TIMING } from './circuit-breaker.ts'

let nowMs = 0
beforeEach(() => {
  nowMs = 1000
})

function makeBreaker(options: { random?: () => number; answersToClose?: number } = {}) {
  const onOpen = vi.fn()
  const onAnswered = vi.fn()
  const breaker = new CircuitBreaker({
    nowMs: () => nowMs,
    random: () => 0,
    events: { onOpen, onAnswered },
    ...options,
  })
  return { breaker, onOpen, onAnswered }
}

/** Failures only for three seconds. */
function open(breaker: CircuitBreaker): void {
  breaker.onFailure('timeout')
  nowMs += 3000
  breaker.onFailure('timeout')
}

describe('a breaker opens', () => {
  test('after three seconds with failures only', () => {
    const { breaker, onOpen } = makeBreaker()
    breaker.onFailure('timeout')
    nowMs += 2999
    breaker.onFailure('timeout')
    expect(breaker.isClosed).toBe(true)
    nowMs++
    breaker.onFailure('ECONNREFUSED')
    expect([breaker.isClosed, breaker.isDown, breaker.admits, breaker.allowance]).toEqual([false, true, false, 0])
    expect(onOpen.mock.calls).toEqual([['ECONNREFUSED']])
  })

  test('at once when requests fail that waited for longer', () => {
    const { breaker } = makeBreaker()
    nowMs += 20_000
    breaker.onFailure('timeout', nowMs - 20_000)
    expect(breaker.isClosed).toBe(true)
    breaker.onFailure('timeout', nowMs - 20_000)
    expect(breaker.isClosed).toBe(false)
  })

  test('not while a request gets answers in between', () => {
    const { breaker } = makeBreaker()
    for (let second = 0; second < 60; second++) {
      nowMs += 1000
      breaker.onFailure('stream_reset', nowMs - 500)
      if (second % 2 === 0) breaker.onAnswer()
    }
    expect(breaker.isClosed).toBe(true)
  })
})

describe('a server that answers nothing well', () => {
  function fail(breaker: CircuitBreaker, times: number): void {
    for (let time = 0; time < times; time++) breaker.onFailure('connection_lost', nowMs)
  }

  test('gets one request at a time after sixteen failures, and its full load with the first answer', () => {
    const { breaker } = makeBreaker()
    fail(breaker, 15)
    expect(breaker.allowance).toBe(Number.POSITIVE_INFINITY)
    fail(breaker, 5000)
    expect(breaker.allowance).toBe(1)
    breaker.onAnswer()
    expect(breaker.allowance).toBe(Number.POSITIVE_INFINITY)
  })

  test('gets no more than 32 of them, and one after three seconds that decides', () => {
    const { breaker } = makeBreaker()
    fail(breaker, 16)
    for (let request = 0; request < 32; request++) {
      expect(breaker.allowance).toBe(1)
      breaker.onOpened()
      fail(breaker, 1)
    }
    nowMs += 2999
    expect([breaker.allowance, breaker.isClosed]).toEqual([0, true])
    nowMs++
    expect(breaker.allowance).toBe(1)
    breaker.onOpened()
    fail(breaker, 1)
    expect(breaker.isClosed).toBe(false)
  })
})

describe('an open breaker', () => {
  test('admits a probe after 1 s, and after each failed one twice as late, up to 25 s', () => {
    const { breaker } = makeBreaker()
    open(breaker)
    const pauses: number[] = []
    for (let probe = 0; probe < 7; probe++) {
      const openedAtMs = nowMs
      while (!breaker.admit()) nowMs += 100
      pauses.push(nowMs - openedAtMs)
      expect(breaker.allowance).toBe(1)
      breaker.onFailure('timeout')
    }
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 25_000, 25_000])
  })

  test('measures the pause from the begin of the probe', () => {
    const { breaker } = makeBreaker()
    open(breaker)
    for (let probe = 0; probe < 6; probe++) {
      nowMs += 30_000
      breaker.admit()
      nowMs += 20_000
      breaker.onFailure('timeout', nowMs - 20_000)
    }
    nowMs += 5000
    expect(breaker.admits).toBe(true)
  })

  test('spreads the probes of several processes over a fifth of the pause', () => {
    const { breaker } = makeBreaker({ random: () => 1 })
    open(breaker)
    nowMs += 1199
    expect(breaker.admits).toBe(false)
    nowMs++
    expect(breaker.admits).toBe(true)
  })

  test('ignores failures of requests from before it opened', () => {
    const { breaker, onOpen } = makeBreaker()
    const before = nowMs
    open(breaker)
    nowMs += 1000
    breaker.admit()
    breaker.onFailure('timeout', before)
    expect([breaker.allowance, onOpen.mock.calls.length]).toEqual([1, 1])
  })

  test('becomes half-open with a late answer', () => {
    const { breaker, onAnswered } = makeBreaker()
    open(breaker)
    breaker.onAnswer()
    expect([breaker.isDown, breaker.allowance, onAnswered.mock.calls.length]).toEqual([false, 2, 1])
  })

  test('is not down any more when no request wants to be the probe', () => {
    const { breaker } = makeBreaker()
    open(breaker)
    nowMs += 61_000
    expect([breaker.isDown, breaker.isClosed]).toEqual([false, false])
  })

  test('makes the retries of requests rarer in a long outage', () => {
    const { breaker } = makeBreaker()
    open(breaker)
    const delays: number[] = []
    for (let minute = 0; minute < 24 * 60; minute++) {
      nowMs += 60_000
      breaker.admit()
      breaker.onFailure('timeout')
      if ([0, 10, 60, 1439].includes(minute)) delays.push(breaker.retryDelayMs)
    }
    expect(delays).toEqual([2000, 25_000, 175_000, 600_000])
  })
})

describe('a half-open breaker', () => {
  test('admits one more request with each answer, and closes after 64', () => {
    const { breaker, onAnswered } = makeBreaker()
    open(breaker)
    nowMs += 1000
    breaker.admit()
    const allowances = Array.from({ length: 64 }, () => {
      breaker.onAnswer()
      return breaker.allowance
    })
    expect(allowances.slice(0, 3)).toEqual([2, 3, 4])
    expect([allowances.at(-1), onAnswered.mock.calls.length]).toEqual([Number.POSITIVE_INFINITY, 1])
  })

  test('closes ten seconds after its first answer when there are few requests', () => {
    const { breaker } = makeBreaker()
    open(breaker)
    nowMs += 1000
    breaker.admit()
    breaker.onAnswer()
    nowMs += 9999
    expect([breaker.isClosed, breaker.upForMs]).toEqual([false, 0])
    nowMs++
    expect(breaker.isClosed).toBe(true)
    nowMs += 5
    expect(breaker.upForMs).toBe(5)
  })

  test('opens again with a failure, also after answers', () => {
    const { breaker, onOpen } = makeBreaker()
    open(breaker)
    nowMs += 1000
    breaker.admit()
    breaker.onAnswer()
    breaker.onFailure('stream_reset')
    expect([breaker.isDown, breaker.allowance, onOpen.mock.calls.length]).toEqual([true, 0, 2])
  })
})

test('with any sequence of events, a breaker never gets stuck and has one probe at a time', () => {
  const event = fc.oneof(
    fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 40_000 }) }),
    fc.record({ kind: fc.constantFrom('answer' as const, 'failure' as const, 'request' as const) }),
  )
  void fc.assert(
    fc.property(fc.array(event, { maxLength: 200 }), (events) => {
      nowMs = 0
      const { breaker } = makeBreaker()
      let inFlight = 0
      for (const next of events) {
        if (next.kind === 'wait') nowMs += next.ms
        else if (next.kind === 'request') {
          if (breaker.admit() && breaker.allowance > inFlight) inFlight++
        } else if (inFlight > 0) {
          inFlight--
          if (next.kind === 'answer') breaker.onAnswer()
          else breaker.onFailure('timeout')
        }
        if (!breaker.isClosed && breaker.isDown) expect(breaker.allowance).toBeLessThanOrEqual(1)
        expect(breaker.retryDelayMs).toBeLessThanOrEqual(600_000)
      }
      // However it got here: after the longest pause a request is admitted, and answers close the breaker.
      nowMs += DEFAULT_BREAKER_TIMING.maxProbeMs * 1.2
      expect(breaker.admit()).toBe(true)
      for (let answer = 0; answer < 65; answer++) breaker.onAnswer()
      expect(breaker.isClosed).toBe(true)
    }),
  )
})
