import { expect, test } from 'vitest'
import { type AckKind, type AckRule, DEFAULT_ACK_RULE } from '../../../src/sends/ack-rule.ts'
import { batchOf } from '../make-batch.ts'
import { makeSend } from '../make-send.ts'
import { type ContractRig, lastPage } from './contract-rig.ts'

const RULES: AckRule[] = [
  { scope: 'user', kind: 'seen' },
  { scope: 'user', kind: 'received' },
  { scope: 'device', kind: 'seen' },
  { scope: 'device', kind: 'received' },
]

export function describeAcks(rig: ContractRig) {
  const ack = (uid: string, user: string, deviceId: string, kind: AckKind) =>
    rig.queue.exclude(uid, { user, deviceId, ack: kind })

  test('counts by the rule of its send: for all devices of a user or for one, and by its kind', async () => {
    const send = await rig.enqueueSmall(['a'])
    await ack(send.uid, 'ann', '', 'seen')
    await ack(send.uid, 'bob', '', 'received')
    await ack(send.uid, 'cat', 'd1', 'seen')
    await ack(send.uid, 'dan', 'd1', 'received')
    expect(await rig.claim()).toMatchObject({ uid: send.uid, sendState: 'live', hasExclusions: true })
    const targets = ['ann', 'bob', 'cat', 'dan', ''].map((user) => ({ user, deviceId: 'd1' }))
    const found = RULES.map((rule) => rig.queue.findExcluded(send.uid, targets, rule))
    expect(await Promise.all(found)).toEqual([
      [true, false, false, false, false],
      [true, true, false, false, false],
      [false, false, true, false, false],
      [false, false, true, true, false],
    ])
    const other = { user: 'cat', deviceId: 'd2' }
    expect(await rig.queue.findExcluded(send.uid, [other], { scope: 'device', kind: 'received' })).toEqual([false])
  })

  test('of a user never stops the push to another user', async () => {
    const send = await rig.enqueueSmall(['a'])
    await ack(send.uid, 'ann', '', 'seen')
    await ack(send.uid, 'ann', 'd-of-bob', 'seen')
    const bob = { user: 'bob', deviceId: 'd-of-bob' }
    const found = RULES.map((rule) => rig.queue.findExcluded(send.uid, [bob], rule))
    expect(await Promise.all(found)).toEqual(RULES.map(() => [false]))
  })

  test('is kept for a send that arrives after it', async () => {
    const send = makeSend()
    await ack(send.uid, 'ann', '', 'seen')
    expect(await rig.queue.enqueue(send, lastPage(batchOf('small', 'a')))).toBe('accepted')
    expect(await rig.claim()).toMatchObject({ uid: send.uid, sendState: 'live', hasExclusions: true })
    const targets = [
      { user: 'ann', deviceId: 'd' },
      { user: 'bob', deviceId: 'd' },
    ]
    expect(await rig.queue.findExcluded(send.uid, targets, DEFAULT_ACK_RULE)).toEqual([true, false])
  })

  test('arrives with a thousand others at the same time, and is not lost', async () => {
    const sends = [await rig.enqueueSmall(['a']), await rig.enqueueSmall(['b']), makeSend()]
    const users = Array.from({ length: 400 }, (_, index) => `user-${index}`)
    const stored = await Promise.all(users.flatMap((user) => sends.map(({ uid }) => ack(uid, user, '', 'seen'))))
    expect(new Set(stored)).toEqual(new Set(['excluded']))
    await rig.queue.enqueue(sends[2] ?? makeSend(), lastPage(batchOf('small', 'c')))
    const targets = [...users, 'another'].map((user) => ({ user, deviceId: 'd' }))
    for (const { uid } of sends) {
      const found = await rig.queue.findExcluded(uid, targets, DEFAULT_ACK_RULE)
      expect(found).toEqual([...users.map(() => true), false])
    }
  })
}
