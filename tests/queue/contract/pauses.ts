import { expect, test, vi } from 'vitest'
import type { BatchClaim } from '../../../src/queue/batch.ts'
import { batchOf } from '../make-batch.ts'
import { ALL_PROVIDERS, type ContractRig, firstValue, lastPage, page } from './contract-rig.ts'

export function describePauses(rig: ContractRig) {
  test('has no claimable batches, while others have', async () => {
    await rig.queue.pause('apns', 'stopped by hand', undefined)
    await rig.enqueue({ ...batchOf('small', 'a'), provider: 'apns' }, batchOf('small', 'b'))
    expect(firstValue(await rig.claim())).toBe('b')
    expect(await rig.tryToClaim('small', ['apns'])).toBeUndefined()
    await rig.queue.resume('apns')
    expect(await rig.claim('small', ['apns'])).toMatchObject({ isProbe: false })
  })

  test('is probed with one batch after the probe interval', async () => {
    await rig.enqueueSmall(['a'], ['b'], ['c'])
    await rig.queue.pause('fcm', 'UNAUTHENTICATED', 400)
    const probes: BatchClaim[] = []
    await vi.waitFor(
      async () => {
        const claims = await Promise.all([1, 2, 3].map(() => rig.queue.claimBatches('small', ALL_PROVIDERS, 3)))
        probes.push(...claims.flat())
        expect(probes.length).toBeGreaterThan(0)
      },
      { timeout: 10_000, interval: 10 },
    )
    expect(probes).toMatchObject([{ isProbe: true }])
    await rig.queue.resume('fcm')
    expect(await rig.claim()).toMatchObject({ isProbe: false })
  })

  test('that an operator has paused is not probed after a worker pauses it too', async () => {
    await rig.queue.pause('fcm', 'stopped by hand', undefined)
    await rig.queue.pause('fcm', 'UNAUTHENTICATED', 0)
    const pauses = [{ provider: 'fcm', reason: 'stopped by hand', probeInMs: undefined }]
    expect((await rig.queue.stats()).pauses).toEqual(pauses)
    await rig.enqueueSmall(['a'])
    expect(await rig.tryToClaim()).toBeUndefined()
  })

  test('does not stop the walk of a broadcast at 200 waiting batches', async () => {
    await rig.queue.pause('apns', 'stopped by hand', undefined)
    const { walk } = await rig.startWalk()
    const apns = { ...batchOf('broadcast', 'a'), provider: 'apns' as const }
    const many = page('more', ...Array.from({ length: 200 }, () => apns))
    expect(await rig.queue.commitPage(walk, many)).toBe('committed')
    expect(await rig.queue.commitPage({ ...walk, cursor: 'more' }, lastPage(apns))).toBe('committed')
  })
}
