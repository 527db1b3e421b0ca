import { expect, test, vi } from 'vitest'
import { untilAborted } from './until-aborted.ts'

const never = new Promise<string>(() => undefined)
const makeError = () => new RangeError('aborted')

test('work that ends before the signal aborts gives its own result or error, and leaves no listener', async () => {
  const { signal } = new AbortController()
  const removed = vi.spyOn(signal, 'removeEventListener')
  const failure = new Error('failed')
  await expect(untilAborted(Promise.resolve('done'), signal, makeError)).resolves.toBe('done')
  await expect(untilAborted(Promise.reject(failure), signal, makeError)).rejects.toBe(failure)
  expect(removed).toHaveBeenCalledTimes(2)
})

test('the caller gets its own error as soon as the signal aborts, and at once when it has aborted before', async () => {
  const stop = new AbortController()
  const waiting = untilAborted(never, stop.signal, makeError)
  stop.abort()
  await expect(waiting).rejects.toThrow(RangeError)
  await expect(untilAborted(never, stop.signal, makeError)).rejects.toThrow(RangeError)
})
