import { expect, test } from 'vitest'
import type { Send } from '../../../src/queue/send.ts'
import { linesOf, readLines, storedLines } from '../make-batch.ts'
import { type ContractRig, NOTHING_LEFT, required } from './contract-rig.ts'

export function describeDeadLetters(rig: ContractRig) {
  const giveUp = async (...values: string[]): Promise<Send> => {
    const send = await rig.enqueueSmall(values)
    const found = await rig.claim()
    const givenUp = [{ ...storedLines(linesOf(...values)), reason: 'UNAVAILABLE' }]
    expect(await rig.queue.acknowledge(found, { retries: [], givenUp })).toBe('acknowledged')
    return send
  }

  test('are listed with their reason, page by page', async () => {
    const [first, second] = [await giveUp('a', 'b'), await giveUp('c')]
    const [letter, ...more] = await rig.queue.listDeadLetters({}, 1)
    expect(more).toEqual([])
    const targets = storedLines(linesOf('a', 'b'))
    expect(letter).toMatchObject({ uid: first.uid, provider: 'fcm', reason: 'UNAVAILABLE', ...targets })
    expect(letter?.attempts).toBeGreaterThan(0)
    expect(letter?.givenUpAtMs).toBeGreaterThan(Date.now() - 60_000)
    expect(await rig.queue.listDeadLetters({}, 10, letter?.id)).toMatchObject([{ uid: second.uid }])
    expect((await rig.queue.stats()).deadLetters).toBe(2)
  })

  test('are found by send, by provider and by id', async () => {
    const [first, second] = [await giveUp('a'), await giveUp('b')]
    expect(await rig.queue.listDeadLetters({ uid: second.uid }, 10)).toMatchObject([{ uid: second.uid }])
    expect(await rig.queue.listDeadLetters({ provider: 'apns' }, 10)).toEqual([])
    const [letter] = await rig.queue.listDeadLetters({ uid: first.uid, provider: 'fcm' }, 10)
    expect(await rig.queue.listDeadLetters({ ids: [required(letter).id] }, 10)).toMatchObject([{ uid: first.uid }])
  })

  test('are counted with their targets, by send and by provider', async () => {
    const send = await giveUp('a', 'b')
    await giveUp('c')
    expect(await rig.queue.countDeadLetters({})).toEqual({ letters: 2, targets: 3 })
    expect(await rig.queue.countDeadLetters({ uid: send.uid })).toEqual({ letters: 1, targets: 2 })
    expect(await rig.queue.countDeadLetters({ provider: 'apns' })).toEqual({ letters: 0, targets: 0 })
  })

  test('are sent again on request, as if for the first time', async () => {
    const send = await giveUp('a', 'b')
    await giveUp('c')
    await rig.queue.retryDeadLetters({ uid: send.uid })
    const found = await rig.claim()
    expect(found).toMatchObject({ uid: send.uid, sendState: 'live', ambiguousAttempts: 0 })
    expect(readLines(found)).toEqual(linesOf('a', 'b'))
    expect(await rig.queue.loadSend(send.uid)).toMatchObject({ content: send.content })
    expect(await rig.queue.listDeadLetters({}, 10)).toHaveLength(1)
    await rig.queue.acknowledge(found, NOTHING_LEFT)
    await rig.expectNothing()
  })

  test('can be deleted', async () => {
    const send = await giveUp('a')
    await giveUp('b')
    await rig.queue.deleteDeadLetters({ uid: send.uid })
    expect(await rig.queue.listDeadLetters({}, 10)).toHaveLength(1)
  })
}
