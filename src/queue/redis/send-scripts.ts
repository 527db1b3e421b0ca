// The scripts that store sends, end them, and leave single targets out of them.
import { laneOfWork } from '../announcements.ts'
import type { Exclusion, Page, Send } from '../send.ts'
import { encodeContent, encodeRecipient } from '../stored-send.ts'
import { readWord } from './replies.ts'
import { KEEP_ENDED_SECONDS, KEEP_MARK_SECONDS, keysOfNewBatches, type Scope } from './scope.ts'
import { refusedAs, Script } from './script.ts'

/** More means that the send should be cancelled as a whole. */
const MAX_DROPS = 100_000

const ENQUEUE = new Script('enqueue')
const CANCEL = new Script('cancel')
const DROP = new Script('drop')

/** Stores a send, and its first batches if it has them, or tells what its uid already stands for. */
export async function storeSend({ client, keys }: Scope, send: Send, page: Page | undefined) {
  const batches = page?.batches ?? []
  const state = page === undefined ? 'waiting' : batches.length > 0 ? 'fanned' : 'done'
  const { send: keyOf, dueSends, scheduled, drops } = keys
  const reply = await ENQUEUE.run(
    client,
    [keyOf(send.uid), dueSends(send.lane), scheduled, drops(send.uid), ...keysOfNewBatches(keys, batches)],
    [
      send.uid,
      send.requestHash,
      send.lane,
      state,
      state === 'waiting' ? encodeRecipient(send.recipient) : '',
      state === 'done' ? '' : encodeContent(send.content),
      send.sendAtMs ?? '',
      send.expireAtMs ?? '',
      KEEP_ENDED_SECONDS,
      keys.work(laneOfWork(send, page)),
      ...batches.flatMap(({ targetKind, count, lines, delayMs = 0 }) => [targetKind, count, lines, Math.ceil(delayMs)]),
    ],
  ).catch(refusedAs('FULL'))
  const results = { ACCEPTED: 'accepted', DUPLICATE: 'duplicate', CONFLICT: 'conflict', FULL: 'full' } as const
  return results[readWord(reply, ['ACCEPTED', 'DUPLICATE', 'CONFLICT', 'FULL'])]
}

/** Ends a send that is still on its way; leaves a mark for one that has not come yet. */
export async function cancelSend({ client, keys }: Scope, uid: string): Promise<void> {
  const { send, dueSends, scheduled, drops } = keys
  const touched = [send(uid), dueSends('small'), dueSends('broadcast'), scheduled, drops(uid)]
  await CANCEL.run(client, touched, [uid, KEEP_ENDED_SECONDS, KEEP_MARK_SECONDS])
}

/** Which of these sends were cancelled, as a whole or some targets of them. */
export async function findCancelled({ client, keys }: Scope, uids: readonly string[]) {
  const found = new Map<string, 'all' | 'some'>()
  const look = async (uid: string) => {
    const [state, drops] = await Promise.all([client.hget(keys.send(uid), 'state'), client.exists(keys.drops(uid))])
    if (state === 'cancelled') found.set(uid, 'all')
    else if (drops === 1) found.set(uid, 'some')
  }
  await Promise.all(uids.map(look))
  return found
}

/** Remembers a drop, of an unknown send for ten minutes. */
export async function storeDrop({ client, keys }: Scope, uid: string, drop: Drop): Promise<'dropped' | 'full'> {
  const args = [memberOf(drop), MAX_DROPS, KEEP_MARK_SECONDS]
  const reply = await DROP.run(client, [keys.send(uid), keys.drops(uid)], args)
  return readWord(reply, ['DROPPED', 'FULL']) === 'FULL' ? 'full' : 'dropped'
}

/** For each target whether its user, its device, or it as both was dropped. */
export async function findDropped(
  { client, keys }: Scope,
  uid: string,
  targets: readonly { user: string; deviceId: string }[],
): Promise<boolean[]> {
  if (targets.length === 0) return []
  const members = targets.flatMap(({ user, deviceId }) => [
    memberOf({ user, deviceId: '' }),
    memberOf({ user: '', deviceId }),
    memberOf({ user, deviceId }),
  ])
  const found = await client.smismember(keys.drops(uid), members)
  return targets.map((_, index) => found.slice(index * 3, index * 3 + 3).includes(1))
}

/** As it stands in the set of a send's drops; neither part can hold a tab. */
function memberOf({ user, deviceId }: Drop): string {
  return `${user}\t${deviceId}`
}
