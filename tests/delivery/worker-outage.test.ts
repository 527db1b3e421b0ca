// An outage of a provider: its batches stay in the queue, and one at a time probes whether it works again.
import { expect, test, vi } from 'vitest'
import type { Outcome } from '../../src/providers/provider.ts'
import { ScriptedProvider } from './scripted-provider.ts'
import { SENT, WorkerRig } from './worker-rig.ts'

const rig = new WorkerRig()
const DOWN: Outcome = { kind: 'retry', reason: 'timeout', maybeDelivered: true, outageDelayMs: 10 }

test('claims nothing of a provider that is down', async () => {
  const provider = new ScriptedProvider(async () => SENT)
  provider.availability = { state: 'down', upForMs: 0 }
  const claims = vi.spyOn(rig.queue, 'claimBatches')
  rig.startWorker(provider)
  const uid = await rig.enqueue(['a'])
  await vi.waitFor(() => expect(claims.mock.calls.length).toBeGreaterThan(4), { timeout: 20_000 })
  expect(claims.mock.calls.map(([, providers]) => providers)).toEqual(claims.mock.calls.map(() => []))
  expect((await rig.queue.stats()).waiting.get('fcm')).toBe(1)
  provider.availability = { state: 'up', upForMs: 0 }
  await rig.waitForEnd(uid)
})

test('delivers one batch at a time as a probe, and all of them when the provider works again', async () => {
  const ends: (() => void)[] = []
  let isDown = true
  const provider = new ScriptedProvider(async () => {
    if (!isDown) return SENT
    await new Promise<void>((resolve) => ends.push(resolve))
    return DOWN
  })
  provider.availability = { state: 'probe', upForMs: 0 }
  rig.startWorker(provider)
  const uids = [await rig.enqueue(['a']), await rig.enqueue(['b']), await rig.enqueue(['c'])]
  for (let probe = 1; probe <= 8; probe++) {
    await vi.waitFor(() => expect(provider.received).toHaveLength(probe), { timeout: 20_000 })
    // A second claim would come with the next announcement or poll.
    expect(ends).toHaveLength(1)
    ends.shift()?.()
  }
  expect(new Set(provider.received.slice(0, 3)).size).toBe(3)
  isDown = false
  await vi.waitFor(() => expect(ends.splice(0).map((end) => end())).toHaveLength(0), { timeout: 20_000 })
  provider.availability = { state: 'up', upForMs: 0 }
  for (const uid of uids) await rig.waitForEnd(uid)
  // More than five ambiguous attempts of a target, and none is given up.
  expect((await rig.queue.stats()).deadLetters).toBe(0)
})
