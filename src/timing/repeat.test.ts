import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startRepeating } from './repeat.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Makes work for startRepeating(). Each of its runs lasts until the test ends it. */
function makeWork() {
  const ends: (() => void)[] = []
  const work = vi.fn((_signal: AbortSignal) => new Promise<void>((resolve) => ends.push(resolve)))
  return { work, endRun: () => ends.shift()?.() }
}

test('work runs once in each interval, at once only if asked to', async () => {
  const [later, atOnce] = [vi.fn(async () => undefined), vi.fn(async () => undefined)]
  const onError = vi.fn()
  startRepeating({ intervalMs: 1000, work: later, onError })
  startRepeating({ intervalMs: 1000, startsAtOnce: true, work: atOnce, onError })
  expect([later.mock.calls.length, atOnce.mock.calls.length]).toEqual([0, 1])
  await vi.advanceTimersByTimeAsync(2000)
  expect([later.mock.calls.length, atOnce.mock.calls.length]).toEqual([2, 3])
})

test('runs never overlap: those that are due during a run are skipped', async () => {
  const { work, endRun } = makeWork()
  startRepeating({ intervalMs: 1000, work, onError: vi.fn() })
  await vi.advanceTimersByTimeAsync(5000)
  expect(work).toHaveBeenCalledTimes(1)
  endRun()
  await vi.advanceTimersByTimeAsync(1000)
  expect(work).toHaveBeenCalledTimes(2)
})

test('a run that fails is reported and followed by the next', async () => {
  const failure = new Error('failed')
  const onError = vi.fn()
  startRepeating({ intervalMs: 1000, work: () => Promise.reject(failure), onError })
  await vi.advanceTimersByTimeAsync(2000)
  expect(onError.mock.calls).toEqual([[failure], [failure]])
})

test('stop aborts the run in progress, resolves when it has ended, and starts no other', async () => {
  const { work, endRun } = makeWork()
  const repetition = startRepeating({ intervalMs: 1000, work, onError: vi.fn() })
  await vi.advanceTimersByTimeAsync(1000)
  const onStopped = vi.fn()
  void repetition.stop().then(onStopped)
  await vi.advanceTimersByTimeAsync(0)
  expect(work.mock.calls[0]?.[0].aborted).toBe(true)
  expect(onStopped).not.toHaveBeenCalled()
  endRun()
  await vi.advanceTimersByTimeAsync(5000)
  expect(onStopped).toHaveBeenCalled()
  expect(work).toHaveBeenCalledTimes(1)
  await repetition.stop()
})
