// Leases, the progress of reliable batches, and how a worker stops.
import { randomUUID } from 'node:crypto'
import { expect, test, vi } from 'vitest'
import type { Outcome } from '../../src/providers/provider.ts'
import { batchOf, linesOf } from '../queue/make-batch.ts'
import { ScriptedProvider } from './scripted-provider.ts'
import { SENT, sendOf, WorkerRig, waitForAbort } from './worker-rig.ts'

const rig = new WorkerRig({ leaseMs: 500 })

test('does not send finished targets of a reliable send again after its worker was killed', async () => {
  const uid = await rig.enqueue(['a', 'b', 'c'], 'small', undefined, true)
  const [claim] = await rig.queue.claimBatches('small', ['fcm'], 1)
  if (!claim) throw new Error('the batch should be claimable')
  await rig.queue.checkpoint([{ claim, finished: Uint8Array.of(0b101), note: '' }])
  const provider = new ScriptedProvider(async () => SENT)
  rig.startWorker(provider)
  await rig.waitForEnd(uid)
  expect(provider.received).toEqual(['b'])
})

test('stores the progress of a reliable batch while it is sent', async () => {
  const provider = new ScriptedProvider((target, signal) =>
    target === 'b' ? waitForAbort(signal) : Promise.resolve(SENT),
  )
  rig.startWorker(provider)
  await rig.enqueue(['a', 'b', 'c'], 'small', undefined, true)
  await vi.waitFor(
    async () => {
      const rows = await rig.database.sql`select settled from push_batches`
      expect(rows).toMatchObject([{ settled: Buffer.of(0b11111101) }])
    },
    { timeout: 10_000 },
  )
})

test('lets batches in flight finish when it is stopped, and claims no others', async () => {
  let answer: (outcome: Outcome) => void = () => undefined
  const provider = new ScriptedProvider(() => new Promise((resolve) => (answer = resolve)))
  const worker = rig.startWorker(provider)
  const uid = await rig.enqueue(['a'])
  await vi.waitFor(() => expect(provider.received).toEqual(['a']))
  const stopped = worker.stop(20_000)
  await rig.enqueue(['b'])
  answer(SENT)
  await stopped
  await rig.waitForEnd(uid)
  expect(provider.received).toEqual(['a'])
})

test('releases unsettled targets at once when its grace period ends', async () => {
  const never = new ScriptedProvider((_, signal) => waitForAbort(signal))
  const worker = rig.startWorker(never)
  const uid = await rig.enqueue(['a'])
  await vi.waitFor(() => expect(never.received).toEqual(['a']))
  await worker.stop(0)
  const [claim] = await rig.queue.claimBatches('small', ['fcm'], 1)
  expect(claim).toMatchObject({ uid, targets: { kind: 'lines', lines: linesOf('a') } })
})

test('extends the lease of a batch that takes longer than a lease', async () => {
  let answer: (outcome: Outcome) => void = () => undefined
  const provider = new ScriptedProvider(() => new Promise((resolve) => (answer = resolve)))
  rig.startWorker(provider)
  const uid = await rig.enqueue(['slow'])
  await vi.waitFor(() => expect(provider.received).toEqual(['slow']))
  // This batch is claimed later and not extended. When its lease has ended, the first lease would have ended as well.
  const control = { ...batchOf('small', 'control'), provider: 'apns' } as const
  await rig.queue.enqueue(sendOf(randomUUID(), ['control']), { batches: [control], cursor: undefined })
  const claimControl = async () => expect(await rig.queue.claimBatches('small', ['apns'], 1)).toHaveLength(1)
  await claimControl()
  await vi.waitFor(claimControl, { timeout: 10_000, interval: 20 })
  expect(await rig.queue.claimBatches('small', ['fcm'], 1)).toEqual([])
  answer(SENT)
  await rig.waitForEnd(uid)
  expect(provider.received).toEqual(['slow'])
})
