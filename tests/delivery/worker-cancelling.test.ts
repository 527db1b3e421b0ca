import { expect, test, vi } from 'vitest'
import { ScriptedProvider } from './scripted-provider.ts'
import { SENT, WorkerRig, waitForAbort } from './worker-rig.ts'

const rig = new WorkerRig()

test('does not send to excluded users and devices', async () => {
  const provider = new ScriptedProvider(async () => SENT)
  const uid = await rig.enqueue(['a', 'b', 'c'])
  await rig.queue.exclude(uid, { user: 'user-a', deviceId: '' })
  await rig.queue.exclude(uid, { user: '', deviceId: 'device-c' })
  rig.startWorker(provider)
  await rig.waitForEnd(uid)
  expect(provider.received).toEqual(['b'])
})

test('does not send to targets that are excluded while their batch is sent, and sends to the others once', async () => {
  let open = () => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const asked: string[] = []
  const watched = new Proxy(rig.queue, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return async (...args: unknown[]) => {
        const result: unknown = await member.apply(target, args)
        if (name === 'findExcluded') asked.push(name)
        return result
      }
    },
  })
  const provider = new ScriptedProvider(
    async () => SENT,
    async (target) => target !== 'a' && gate,
  )
  rig.startWorker(provider, { queue: watched })
  const uid = await rig.enqueue(['a', 'b', 'c', 'd'])
  try {
    await vi.waitFor(() => expect(provider.received).toEqual(['a']))
    await rig.queue.exclude(uid, { user: 'user-b', deviceId: '' })
    await rig.queue.exclude(uid, { user: '', deviceId: 'device-d' })
    // The second answer since both exclusions: that call began after them.
    await vi.waitFor(() => expect(asked.length).toBeGreaterThanOrEqual(2), { timeout: 10_000 })
  } finally {
    open()
  }
  await rig.waitForEnd(uid)
  expect(provider.received).toEqual(['a', 'c'])
})

test('stops a slow batch when its send is cancelled', async () => {
  const never = new ScriptedProvider((_, signal) => waitForAbort(signal))
  rig.startWorker(never)
  const uid = await rig.enqueue(['a', 'b'])
  await vi.waitFor(() => expect(never.received).toHaveLength(2))
  await rig.queue.cancel(uid)
  await vi.waitFor(async () => expect((await rig.queue.stats()).inFlight.size).toBe(0), { timeout: 10_000 })
  expect(never.received).toHaveLength(2)
})

test('stops the one of many small sends that is cancelled, and sends the others once', async () => {
  const answers = new Map<string, () => void>()
  const provider = new ScriptedProvider(
    (target, signal) =>
      new Promise((resolve) => {
        answers.set(target, () => resolve(SENT))
        signal.addEventListener('abort', () => resolve(undefined))
      }),
  )
  // All are stored before the worker starts, so that one claim takes them.
  const claimed = vi.spyOn(rig.queue, 'claimBatches')
  const [first = '', cancelled = '', last = ''] = [
    await rig.enqueue(['a']),
    await rig.enqueue(['b']),
    await rig.enqueue(['c']),
  ]
  rig.startWorker(provider)
  await vi.waitFor(() => expect(answers.size).toBe(3))
  expect(await claimed.mock.results[0]?.value).toHaveLength(3)
  await rig.queue.cancel(cancelled)
  await vi.waitFor(async () => expect((await rig.queue.stats()).inFlight.get('fcm')).toBe(2), { timeout: 10_000 })
  for (const answer of answers.values()) answer()
  await Promise.all([rig.waitForEnd(first), rig.waitForEnd(last)])
  expect(provider.received.toSorted()).toEqual(['a', 'b', 'c'])
  const reports = await Promise.all([first, cancelled, last].map((uid) => rig.queue.loadReport(uid)))
  expect(reports.map((report) => report?.state)).toEqual(['ended', 'cancelled', 'ended'])
})
