// Outcomes of batches: retries, dead letters, dead tokens, credentials.
import { expect, test, vi } from 'vitest'
import { linesOf, storedLines } from '../queue/make-batch.ts'
import { ScriptedProvider } from './scripted-provider.ts'
import { SENT, WorkerRig } from './worker-rig.ts'

const rig = new WorkerRig()

test('sends each target once and ends the send', async () => {
  const provider = new ScriptedProvider(async () => SENT)
  rig.startWorker(provider)
  await rig.waitForEnd(await rig.enqueue(['a', 'b', 'c']))
  expect(provider.received.sort()).toEqual(['a', 'b', 'c'])
})

test('retries only targets that a retry can help', async () => {
  let failures = 2
  const provider = new ScriptedProvider(async (target) =>
    target === 'b' && failures-- > 0 ? { kind: 'retry', reason: 'UNAVAILABLE', minDelayMs: 1000 } : SENT,
  )
  rig.startWorker(provider)
  await rig.waitForEnd(await rig.enqueue(['a', 'b', 'c']))
  expect(provider.received.sort()).toEqual(['a', 'b', 'b', 'b', 'c'])
})

test('removes devices with dead tokens, and no others', async () => {
  const provider = new ScriptedProvider(async (target) =>
    target === 'b' ? { kind: 'tokenGone', reason: 'UNREGISTERED' } : SENT,
  )
  const worker = rig.startWorker(provider)
  await rig.waitForEnd(await rig.enqueue(['a', 'b', 'c']))
  await worker.stop(1000)
  expect(rig.gone).toEqual([{ deviceId: 'device-b', token: 'b', sinceMs: undefined }])
})

test('removes no devices when a provider suddenly reports most tokens as dead', async () => {
  const values = Array.from({ length: 300 }, (_, i) => `t${i}`)
  const provider = new ScriptedProvider(async (target) =>
    Number(target.slice(1)) < 200 ? { kind: 'tokenGone', reason: 'UNREGISTERED' } : SENT,
  )
  const worker = rig.startWorker(provider)
  await rig.waitForEnd(await rig.enqueue(values, 'broadcast'))
  await worker.stop(1000)
  expect(provider.received).toHaveLength(300)
  expect(rig.gone).toEqual([])
})

test('gives up a target after five ambiguous attempts, and stores it as a dead letter', async () => {
  const provider = new ScriptedProvider(async () => ({ kind: 'retry', reason: 'timeout', maybeDelivered: true }))
  rig.startWorker(provider, { retryScale: 0.001 })
  const uid = await rig.enqueue(['a'])
  const letter = { uid, provider: 'fcm', reason: 'timeout', attempts: 5, ...storedLines(linesOf('a')) }
  await vi.waitFor(async () => expect(await rig.queue.listDeadLetters({}, 10)).toMatchObject([letter]), {
    timeout: 20_000,
  })
  expect(provider.received).toHaveLength(5)
})

test('repeats an acknowledgement while the queue is unreachable, and sends nothing twice', async () => {
  const provider = new ScriptedProvider(async () => SENT)
  let failures = 3
  const flaky = new Proxy(rig.queue, {
    get(target, name) {
      if (name === 'acknowledge' && failures-- > 0) return () => Promise.reject(new Error('the queue is unreachable'))
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  rig.startWorker(provider, { queue: flaky })
  await rig.waitForEnd(await rig.enqueue(['a', 'b']))
  expect(provider.received.toSorted()).toEqual(['a', 'b'])
})

test('sends no target of a cancelled or expired send', async () => {
  const provider = new ScriptedProvider(async () => SENT)
  const cancelled = await rig.enqueue(['a'])
  await rig.queue.cancel(cancelled)
  await rig.enqueue(['b'], 'small', Date.now() - 1000)
  const last = await rig.enqueue(['c'])
  rig.startWorker(provider)
  await rig.waitForEnd(last)
  expect(provider.received).toEqual(['c'])
})

test('retries a batch after its provider threw an error', async () => {
  let isBroken = true
  const provider = new ScriptedProvider(async () => {
    if (!isBroken) return SENT
    isBroken = false
    throw new Error('a bug of the provider')
  })
  rig.startWorker(provider)
  await rig.waitForEnd(await rig.enqueue(['a']))
  expect(provider.received).toEqual(['a', 'a'])
})

test('keeps batches while the provider refuses the credential, probes it, and sends all once it accepts', async () => {
  let isMended = false
  const provider = new ScriptedProvider(async () =>
    isMended ? SENT : { kind: 'credential', reason: 'UNAUTHENTICATED' },
  )
  rig.startWorker(provider, { retryScale: 0.005 })
  const uid = await rig.enqueue(['a', 'b'])
  await vi.waitFor(() => expect(provider.received.length).toBeGreaterThanOrEqual(4), { timeout: 20_000 })
  isMended = true
  await rig.waitForEnd(uid)
})
