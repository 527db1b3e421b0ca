import { expect, test, vi } from 'vitest'
import { linesOf, storedLines } from '../make-batch.ts'
import { ALL_PROVIDERS, type ContractRig, LEASE_MS } from './contract-rig.ts'

export function describeDueTimes(rig: ContractRig) {
  /** The time of the first answer that is not 0. Until announcements are heard, it is 0. */
  const untilDue = async (lane: 'small' | 'broadcast' = 'small', providers = ALL_PROVIDERS) => {
    const stop = new AbortController()
    void rig.queue.waitForWork(lane, 60_000, stop.signal)
    try {
      return await vi.waitFor(async () => {
        const dueMs = await rig.queue.untilDue(lane, providers)
        expect(dueMs).toBeGreaterThan(0)
        return dueMs
      })
    } finally {
      stop.abort()
    }
  }

  test('is endless in an empty lane', async () => {
    await rig.enqueueBroadcast(['a'])
    expect(await untilDue('small')).toBe(Number.POSITIVE_INFINITY)
  })

  test('is that of the first scheduled send', async () => {
    await rig.enqueueLater(60_000)
    await rig.enqueueLater(30_000)
    const dueMs = await untilDue('broadcast', [])
    expect(dueMs).toBeGreaterThan(15_000)
    expect(dueMs).toBeLessThanOrEqual(30_000)
  })

  test('is that of a retry', async () => {
    await rig.enqueueSmall(['a'])
    const retry = { ...storedLines(linesOf('a')), delayMs: 30_000, ambiguousAttempts: 0 }
    await rig.queue.acknowledge(await rig.claim(), { retries: [retry], givenUp: [] })
    const dueMs = await untilDue()
    expect(dueMs).toBeGreaterThan(15_000)
    expect(dueMs).toBeLessThanOrEqual(30_000)
  })

  test('is at most a lease while a batch is claimed, because it can be abandoned', async () => {
    await rig.enqueueSmall(['a'])
    await rig.claim()
    expect(await rig.queue.untilDue('small', ALL_PROVIDERS)).toBeLessThanOrEqual(LEASE_MS)
  })

  test('is endless for a batch of a provider that is paused without probes', async () => {
    await rig.queue.pause('fcm', 'test', undefined)
    await rig.enqueueSmall(['a'])
    expect(await untilDue()).toBe(Number.POSITIVE_INFINITY)
  })

  test('is that of the next probe of a paused provider', async () => {
    await rig.enqueueSmall(['a'])
    await rig.queue.pause('fcm', 'test', 30_000)
    const dueMs = await untilDue()
    expect(dueMs).toBeGreaterThan(15_000)
    expect(dueMs).toBeLessThanOrEqual(30_000)
  })
}
