import { expect, test } from 'vitest'
import { linesOf, readLines, storedLines } from '../make-batch.ts'
import { type ContractRig, NOTHING_LEFT } from './contract-rig.ts'

const now = (...values: string[]) => ({ ...storedLines(linesOf(...values)), delayMs: 0, ambiguousAttempts: 0 })

export function describeRetries(rig: ContractRig) {
  test('is claimable after its delay, with its own targets only', async () => {
    await rig.enqueueSmall(['a', 'b', 'c'])
    const found = await rig.claim()
    const retries = [{ ...now('b'), delayMs: 300, ambiguousAttempts: 1 }]
    expect(await rig.queue.acknowledge(found, { retries, givenUp: [] })).toBe('acknowledged')
    expect(await rig.tryToClaim()).toBeUndefined()
    const again = await rig.claim()
    expect(again.ambiguousAttempts).toBe(1)
    expect(readLines(again)).toEqual(linesOf('b'))
    expect(again.attempt).toBeGreaterThan(found.attempt)
    expect(again.ageMs).toBeGreaterThanOrEqual(300)
  })

  test('is counted apart from waiting batches before its delay is over', async () => {
    await rig.enqueueSmall(['a'])
    const found = await rig.claim()
    expect((await rig.queue.stats()).delayed).toBe(0)
    const retries = [{ ...now('a'), delayMs: 60_000 }]
    expect(await rig.queue.acknowledge(found, { retries, givenUp: [] })).toBe('acknowledged')
    expect(await rig.queue.stats()).toMatchObject({ delayed: 1, oldestMs: 0, lanes: { small: { waiting: 0 } } })
  })

  test('counts attempts and age from its next claim if its targets were not attempted', async () => {
    await rig.enqueueSmall(['a'])
    const failed = { ...now('a'), ambiguousAttempts: 1 }
    for (let failures = 0; failures < 4; failures++) {
      await rig.queue.acknowledge(await rig.claim(), { retries: [failed], givenUp: [] })
    }
    const last = await rig.claim()
    await rig.queue.acknowledge(last, { retries: [{ ...failed, delayMs: 1000, startsOver: true }], givenUp: [] })
    const afresh = await rig.claim()
    expect(afresh.attempt).toBeLessThan(last.attempt)
    expect(afresh.ageMs).toBeLessThan(1000)
    expect(afresh.ambiguousAttempts).toBe(1)
  })

  test('keeps its send open until it is acknowledged', async () => {
    const send = await rig.enqueueSmall(['a'], ['b'])
    await rig.queue.acknowledge(await rig.claim(), { retries: [now('a')], givenUp: [] })
    await rig.queue.acknowledge(await rig.claim(), NOTHING_LEFT)
    expect(await rig.queue.loadSend(send.uid)).toMatchObject({ content: send.content })
    await rig.queue.acknowledge(await rig.claim(), NOTHING_LEFT)
    expect(await rig.queue.loadSend(send.uid)).toBeUndefined()
  })
}
