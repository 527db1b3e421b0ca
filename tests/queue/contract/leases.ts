import { expect, test, vi } from 'vitest'
import { linesOf, storedLines } from '../make-batch.ts'
import { ALL_PROVIDERS, type ContractRig, firstValue, LEASE_MS, NOTHING_LEFT } from './contract-rig.ts'

export function describeLeases(rig: ContractRig) {
  test('belongs to one worker at a time', async () => {
    await rig.enqueueSmall(...Array.from({ length: 20 }, (_, i) => [`t${i}`]))
    const acknowledged: string[] = []
    const work = async () => {
      for (const found of await rig.queue.claimBatches('small', ALL_PROVIDERS, 3)) {
        if ((await rig.queue.acknowledge(found, NOTHING_LEFT)) === 'acknowledged') acknowledged.push(firstValue(found))
      }
    }
    await vi.waitFor(
      async () => {
        await Promise.all(Array.from({ length: 10 }, work))
        expect(acknowledged.length).toBeGreaterThanOrEqual(20)
      },
      { timeout: 10_000 },
    )
    expect(new Set(acknowledged).size).toBe(acknowledged.length)
  })

  test('passes to another worker when its lease ends, and the first worker can no longer acknowledge', async () => {
    await rig.enqueueSmall(['a'])
    const abandoned = await rig.claim()
    const recovered = await rig.claim()
    expect(recovered.id).toBe(abandoned.id)
    expect(recovered.attempt).toBeGreaterThan(abandoned.attempt)
    expect(await rig.queue.confirm([abandoned], 0)).toEqual(['lost'])
    const retry = { ...storedLines(linesOf('a')), delayMs: 0, ambiguousAttempts: 0 }
    await rig.queue.acknowledge(abandoned, { retries: [retry], givenUp: [] })
    expect(await rig.queue.confirm([recovered], 0)).toEqual(['valid'])
    expect(await rig.queue.acknowledge(recovered, NOTHING_LEFT)).toBe('acknowledged')
    await rig.expectNothing()
  })

  test('stays with the worker that extends its lease', async () => {
    await rig.enqueueSmall(['a'])
    const kept = await rig.claim()
    const beats: Promise<unknown>[] = []
    const heartbeat = setInterval(() => beats.push(rig.queue.confirm([kept], LEASE_MS / 4)), LEASE_MS / 5)
    try {
      await rig.enqueueSmall(['b'])
      await rig.claim()
      // The lease of the other batch, which is not extended, ended later than the first lease would have.
      expect((await rig.claim()).id).not.toBe(kept.id)
      expect(await rig.queue.acknowledge(kept, NOTHING_LEFT)).toBe('acknowledged')
    } finally {
      clearInterval(heartbeat)
      await Promise.all(beats)
    }
  })

  test('can be released: the batch is claimable at once, and no attempt is counted', async () => {
    await rig.enqueueSmall(['a'])
    const found = await rig.claim()
    await rig.queue.release([found])
    const again = await rig.claim()
    expect(again.attempt).toBeLessThanOrEqual(found.attempt)
    expect(await rig.queue.confirm([found], 0)).toEqual(['lost'])
  })

  test('that is released keeps the progress of an earlier one', async () => {
    await rig.enqueueSmall(['a', 'b', 'c'])
    await rig.queue.checkpoint([{ claim: await rig.claim(), finished: Uint8Array.of(0b101), note: 'a note' }])
    await rig.queue.release([await rig.claim()])
    const again = await rig.claim()
    expect([Buffer.from(again.finished ?? []), again.finishedNote]).toEqual([Buffer.of(0b101), 'a note'])
  })

  test('has the progress of the abandoned one before it; a checkpoint of a lost claim changes nothing', async () => {
    await rig.enqueueSmall(['a', 'b', 'c'])
    const abandoned = await rig.claim()
    expect(abandoned.finished ?? new Uint8Array()).toEqual(new Uint8Array())
    await rig.queue.checkpoint([{ claim: abandoned, finished: Uint8Array.of(0b101), note: 'a note' }])
    const recovered = await rig.claim()
    expect(Buffer.from(recovered.finished ?? [])).toEqual(Buffer.of(0b101))
    await rig.queue.checkpoint([{ claim: abandoned, finished: Uint8Array.of(0b111), note: 'another' }])
    const next = await rig.claim()
    expect([Buffer.from(next.finished ?? []), next.finishedNote]).toEqual([Buffer.of(0b101), 'a note'])
  })
}
