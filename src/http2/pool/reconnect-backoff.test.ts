import { expect, it } from 'vitest'
import { DEFAULT_TIMING } from '../http2-timing.ts'
import { ReconnectBackoff } from './reconnect-backoff.ts'

const timing = { ...DEFAULT_TIMING, reconnectMinMs: 100, reconnectMaxMs: 1000 }

it('doubles the delay after each useless connection, up to the maximum', () => {
  const backoff = new ReconnectBackoff({ timing })
  let nowMs = 0
  for (const wholeMs of [100, 200, 400, 800, 1000, 1000]) {
    expect(backoff.remainingMs(nowMs)).toBe(0)
    backoff.onUseless(nowMs)
    const remainingMs = backoff.remainingMs(nowMs)
    expect(remainingMs).toBeGreaterThanOrEqual(wholeMs / 2)
    expect(remainingMs).toBeLessThanOrEqual(wholeMs)
    nowMs += remainingMs
  }
})

it('counts connections that fail together as one failure', () => {
  const backoff = new ReconnectBackoff({ timing })
  for (let connection = 0; connection < 8; connection++) backoff.onUseless(0)
  expect(backoff.remainingMs(0)).toBeLessThanOrEqual(100)
})

it('ends the delay after a useful connection', () => {
  const backoff = new ReconnectBackoff({ timing })
  backoff.onUseless(0)
  expect(backoff.isFailing).toBe(true)
  backoff.onUseful()
  expect([backoff.isFailing, backoff.remainingMs(0)]).toEqual([false, 0])
})
