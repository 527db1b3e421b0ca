import { expect, test, vi } from 'vitest'
import type { StoredSend } from '../queue/send.ts'
import { makeSendCache } from './send-cache.ts'

const SEND: StoredSend = { content: undefined, recipient: undefined }

test('a send is loaded once for many batches, and again after a minute', async () => {
  let nowMs = 0
  const load = vi.fn(async () => SEND)
  const loadSend = makeSendCache(load, () => nowMs)
  await Promise.all([loadSend('u'), loadSend('u')])
  await loadSend('u')
  expect(load).toHaveBeenCalledTimes(1)
  nowMs = 60_000
  await loadSend('u')
  expect(load).toHaveBeenCalledTimes(2)
})

test('a missing send is not kept, nor is a failed load', async () => {
  const load = vi
    .fn<() => Promise<StoredSend | undefined>>()
    .mockResolvedValueOnce(undefined)
    .mockRejectedValueOnce(new Error('unreachable'))
    .mockResolvedValue(SEND)
  const loadSend = makeSendCache(load, () => 0)
  expect(await loadSend('u')).toBeUndefined()
  await expect(loadSend('u')).rejects.toThrow('unreachable')
  expect(await loadSend('u')).toBe(SEND)
})

test('a send that a batch finds incomplete is loaded again', async () => {
  const complete = { ...SEND, recipient: { kind: 'native', provider: 'fcm', targetKind: 'token', values: [] } } as const
  const load = vi.fn<() => Promise<StoredSend>>().mockResolvedValueOnce(SEND).mockResolvedValue(complete)
  const loadSend = makeSendCache(load, () => 0)
  expect(await loadSend('u')).toBe(SEND)
  expect(await loadSend('u', ({ recipient }) => recipient !== undefined)).toBe(complete)
})
