import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { DeadlineError, withDeadline } from './deadline.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const never = new Promise<string>(() => undefined)

test('work that ends before its deadline gives its own result or error, and leaves no timer', async () => {
  const failure = new Error('failed')
  await expect(withDeadline(Promise.resolve('done'), 1000)).resolves.toBe('done')
  await expect(withDeadline(Promise.reject(failure), 1000)).rejects.toBe(failure)
  expect(vi.getTimerCount()).toBe(0)
})

test('work without an end rejects at its deadline', async () => {
  const late = expect(withDeadline(never, 1000)).rejects.toThrow(new DeadlineError('not finished in 1000 ms'))
  await vi.advanceTimersByTimeAsync(1001)
  await late
})

test('the caller chooses the error of a missed deadline, which is made only then', async () => {
  const makeError = vi.fn(() => new RangeError('late'))
  await withDeadline(Promise.resolve('done'), 1000, makeError)
  expect(makeError).not.toHaveBeenCalled()
  const late = expect(withDeadline(never, 1000, makeError)).rejects.toThrow(RangeError)
  await vi.advanceTimersByTimeAsync(1001)
  await late
})

test('work that fails after its deadline causes no unhandled rejection', async () => {
  let fail = (_error: Error) => {}
  const work = new Promise<string>((_, reject) => {
    fail = reject
  })
  const late = expect(withDeadline(work, 1000)).rejects.toThrow(DeadlineError)
  await vi.advanceTimersByTimeAsync(1001)
  await late
  fail(new Error('too late'))
})
