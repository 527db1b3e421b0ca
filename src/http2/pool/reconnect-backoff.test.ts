import { expect, it } from 'vitest'
import { DEFAULT_TIMING } from '../http2-timing.ts'
import { ReconnectDelay } from './reconnect-backoff.ts'

const timing = { ...DEFAULT_TIMING, reconnectMinMs: 100, reconnectMaxMs: 1000 }

it('waits longer after each connection of no use, up to the maximum', () => {
  const delay = new ReconnectDelay({ timing })
  let nowMs = 0
  for (const wholeMs of [100, 200, 400, 800, 1000, 1000]) {
    expect(delay.leftMs(nowMs)).toBe(0)
    delay.onUseless(nowMs)
    const leftMs = delay.leftMs(nowMs)
    expect(leftMs).toBeGreaterThanOrEqual(wholeMs / 2)
    expect(leftMs).toBeLessThanOrEqual(wholeMs)
    nowMs += leftMs
  }
})

it('counts connections that fail together once', () => {
  const delay = new ReconnectDelay({ timing })
  for (let connection = 0; connection < 8; connection++) delay.onUseless(0)
  expect(delay.leftMs(0)).toBeLessThanOrEqual(100)
})

it('waits no more once a connection was of use', () => {
  const delay = new ReconnectDelay({ timing })
  delay.onUseless(0)
  expect(delay.isFailing).toBe(true)
  delay.onUseful()
  expect([delay.isFailing, delay.leftMs(0)]).toEqual([false, 0])
})
