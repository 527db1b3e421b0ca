import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { pause } from './pause.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a pause ends after its time', async () => {
  const onEnd = vi.fn()
  void pause(1000, new AbortController().signal).then(onEnd)
  await vi.advanceTimersByTimeAsync(999)
  expect(onEnd).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  expect(onEnd).toHaveBeenCalled()
})

test('a pause ends without an error when its signal aborts, before or during it, and leaves no timer', async () => {
  const stop = new AbortController()
  const paused = pause(1000, stop.signal)
  stop.abort()
  await paused
  await pause(1000, stop.signal)
  expect(vi.getTimerCount()).toBe(0)
})
