// The scripts of fan-out: who walks a send, and what its pages write.
import { laneOfWork } from '../announcements.ts'
import type { NewBatch } from '../batch.ts'
import type { Lane } from '../lane.ts'
import type { CommitResult, Page, SendClaim } from '../send.ts'
import { readSendClaims, readWord } from './replies.ts'
import { GROUP, KEEP_DEAD_LETTERS_SECONDS, KEEP_ENDED_SECONDS, keysOfNewBatches, type Scope } from './scope.ts'
import { refusedAs, Script } from './script.ts'
import { placeTargets, takeBackTargets } from './stored-targets.ts'

/** A broadcast's walk waits while this many batches of one of its page's providers wait: memory stays flat. */
const WAITING_BATCHES_PER_PROVIDER = 200
/** The same while a provider is paused, so that its part of a broadcast does not hold up the others at once. */
const WAITING_BATCHES_WHILE_PAUSED = 2000

const CLAIM_SENDS = new Script('claim-sends')
const COMMIT_PAGE = new Script('commit-page')
const IS_FULL = new Script('is-full')
const KEEP_WALK = new Script('keep-walk')

/** Claims the sends of a lane that have been due for longest. */
export async function claimDueSends({ client, keys }: Scope, lane: Lane, limit: number, leaseMs: number) {
  const args = [limit, leaseMs, keys.sendPrefix]
  return readSendClaims(await CLAIM_SENDS.run(client, [keys.dueSends(lane), keys.scheduled], args), lane)
}

/** Writes the page behind the claim's cursor and moves that, under the claim's fence. */
export async function storePage(
  { client, keys }: Scope,
  claim: SendClaim,
  page: Page,
  leaseMs: number,
): Promise<CommitResult> {
  const { send, dueSends, drops, work } = keys
  if (await isStreamFull({ client, keys }, page.batches)) {
    return (await extendSendLease({ client, keys }, claim, leaseMs)) === 'extended' ? 'full' : 'lost'
  }
  const { uid, lane, fence, cursor = '' } = claim
  const placed = page.batches.map((batch) => placeTargets({ client, keys }, batch))
  const committed = COMMIT_PAGE.run(
    client,
    [send(uid), dueSends(lane), drops(uid), ...keysOfNewBatches(keys, page.batches)],
    [
      uid,
      fence,
      cursor,
      page.cursor ?? '',
      leaseMs,
      KEEP_ENDED_SECONDS,
      KEEP_DEAD_LETTERS_SECONDS,
      work(laneOfWork({ lane }, page)),
      ...placed.flatMap(({ targetKind, count, targets, isKey, delayMs = 0 }) => [
        targetKind,
        count,
        targets,
        isKey ? '1' : '',
        Math.ceil(delayMs),
      ]),
    ],
  ).catch(refusedAs('FULL'))
  const [reply] = await Promise.all([committed, ...placed.map(({ isSent }) => isSent)])
  const results = { COMMITTED: 'committed', FULL: 'full', LOST: 'lost' } as const
  const result = results[readWord(reply, ['COMMITTED', 'FULL', 'LOST'])]
  if (result !== 'committed') takeBackTargets({ client, keys }, placed)
  return result
}

/** Asked before a page is sent: one that is refused for every page that is taken would cost as much as that. */
async function isStreamFull({ client, keys }: Scope, batches: readonly NewBatch[]): Promise<boolean> {
  // What is for later waits where nobody counts it.
  const counted = batches.filter(({ lane, delayMs = 0 }) => lane === 'broadcast' && delayMs <= 0)
  const providers = [...new Set(counted.map(({ provider }) => provider))]
  if (providers.length === 0) return false
  const isFull = await IS_FULL.run(
    client,
    [keys.pauses, ...providers.map((provider) => keys.batches('broadcast', provider))],
    [GROUP, WAITING_BATCHES_PER_PROVIDER, WAITING_BATCHES_WHILE_PAUSED, ...providers],
  )
  return isFull === 1
}

/** Extends the lease of a walk; one of 0 ms ends it: another worker may go on at once. */
export async function extendSendLease({ client, keys }: Scope, { uid, lane, fence }: SendClaim, leaseMs: number) {
  const reply = await KEEP_WALK.run(
    client,
    [keys.send(uid), keys.dueSends(lane)],
    [uid, fence, leaseMs, keys.work(lane)],
  )
  return readWord(reply, ['EXTENDED', 'LOST']) === 'LOST' ? ('lost' as const) : ('extended' as const)
}
