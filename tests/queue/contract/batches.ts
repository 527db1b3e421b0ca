import { expect, test, vi } from 'vitest'
import { batchOf, linesOf, readLines } from '../make-batch.ts'
import { makeSend } from '../make-send.ts'
import { ALL_PROVIDERS, CLAIM_WAIT, type ContractRig, firstValue, lastPage, NOTHING_LEFT } from './contract-rig.ts'

export function describeBatches(rig: ContractRig) {
  test('is claimed by lane and by provider', async () => {
    await rig.enqueue(batchOf('small', 'a'), batchOf('broadcast', 'b'), { ...batchOf('small', 'c'), provider: 'apns' })
    expect(firstValue(await rig.claim('broadcast'))).toBe('b')
    expect(firstValue(await rig.claim('small', ['apns']))).toBe('c')
    expect(await rig.tryToClaim('small', ['hms'])).toBeUndefined()
  })

  test('is left to other workers until it has waited for the least time', async () => {
    await rig.enqueueSmall(['a'])
    expect(await rig.queue.claimBatches('small', ALL_PROVIDERS, 10, 60_000)).toEqual([])
    const found = await vi.waitFor(async () => {
      const [claim] = await rig.queue.claimBatches('small', ALL_PROVIDERS, 10, 30)
      if (!claim) throw new Error('not claimed yet')
      return claim
    }, CLAIM_WAIT)
    expect(firstValue(found)).toBe('a')
  })

  test('contains the expiry of its send, and whether the send has expired', async () => {
    const inAnHour = makeSend({ expireAtMs: Date.now() + 3_600_000 })
    await rig.queue.enqueue(inAnHour, lastPage(batchOf('small', 'a')))
    const live = await rig.claim()
    expect(live.sendState).toBe('live')
    expect(live.expiresInMs).toBeGreaterThan(3_000_000)
    expect(live.expiresInMs).toBeLessThanOrEqual(3_600_000)
    await rig.queue.acknowledge(live, NOTHING_LEFT)
    await rig.queue.enqueue(makeSend({ expireAtMs: Date.now() - 1000 }), lastPage(batchOf('small', 'b')))
    expect(await rig.claim()).toMatchObject({ sendState: 'expired' })
  })

  test('with a delay is claimable only after it, and keeps its send open', async () => {
    const send = await rig.enqueue({ ...batchOf('small', 'later'), delayMs: 2500 }, batchOf('small', 'now'))
    const found = await rig.claim()
    expect(firstValue(found)).toBe('now')
    await rig.queue.acknowledge(found, NOTHING_LEFT)
    await rig.expectNothing()
    expect(await rig.queue.loadSend(send.uid)).toMatchObject({ content: send.content })
    const later = await rig.claim()
    expect(readLines(later)).toEqual(linesOf('later'))
    expect(later.ageMs).toBeLessThan(2500)
    await rig.queue.acknowledge(later, NOTHING_LEFT)
    expect(await rig.queue.loadSend(send.uid)).toBeUndefined()
  })

  test('ends its send when many batches are acknowledged concurrently', async () => {
    const send = await rig.enqueueSmall(...Array.from({ length: 60 }, (_, i) => [`t${i}`]))
    const work = async () => {
      const claims = await rig.queue.claimBatches('small', ALL_PROVIDERS, 7)
      await Promise.all(claims.map((found) => rig.queue.acknowledge(found, NOTHING_LEFT)))
    }
    await vi.waitFor(
      async () => {
        await Promise.all(Array.from({ length: 4 }, work))
        expect(await rig.queue.loadSend(send.uid)).toBeUndefined()
      },
      { timeout: 10_000, interval: 1 },
    )
  })
}
