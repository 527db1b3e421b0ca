// Runs the Lua scripts of fan-out: they claim sends and commit pages.
import { replyWhenOutOfMemory } from '../../redis/out-of-memory.ts'
import { Script } from '../../redis/script.ts'
import { laneOfWork } from '../announcements.ts'
import type { NewBatch } from '../batch.ts'
import type { Lane } from '../lane.ts'
import {
  KEEP_DEAD_LETTERS_SECONDS,
  KEEP_ENDED_SECONDS,
  MAX_WAITING_BATCHES,
  MAX_WAITING_BATCHES_OF_PAUSED,
} from '../limits.ts'
import type { CommitResult, Page, SendClaim } from '../send.ts'
import { countPage, sumCounts } from '../stored-report.ts'
import { readSendClaims, readWord } from './replies.ts'
import { GROUP, keysOfDelayed, keysOfStreams, type Scope } from './scope.ts'
import { deleteUnusedTargets, placeTargets } from './stored-targets.ts'

const CLAIM_SENDS = new Script(new URL('lua/claim-sends.lua', import.meta.url))
const COMMIT_PAGE = new Script(new URL('lua/commit-page.lua', import.meta.url))
const IS_FULL = new Script(new URL('lua/is-full.lua', import.meta.url))
const EXTEND_WALK = new Script(new URL('lua/extend-walk.lua', import.meta.url))

/** Claims up to `limit` sends of a lane for fan-out; the send that became due first is claimed first. */
export async function claimDueSends({ client, keys }: Scope, lane: Lane, limit: number, leaseMs: number) {
  const args = [limit, leaseMs, keys.sendPrefix]
  return readSendClaims(await CLAIM_SENDS.run(client, [keys.dueSends(lane), keys.scheduled, keys.reports], args), lane)
}

/** Writes the batches of the page after the claim's cursor and moves the cursor, unless the claim is lost. */
export async function storePage(
  { client, keys }: Scope,
  claim: SendClaim,
  page: Page,
  leaseMs: number,
): Promise<CommitResult> {
  const { send, dueSends, exclusions, report, work } = keys
  const changes = sumCounts(countPage(page))
  if (await isStreamFull({ client, keys }, page.batches)) {
    return (await extendSendLease({ client, keys }, claim, leaseMs)) === 'extended' ? 'full' : 'lost'
  }
  const { uid, lane, fence, cursor = '' } = claim
  const placed = page.batches.map((batch) => placeTargets({ client, keys }, batch))
  const committed = COMMIT_PAGE.run(
    client,
    [
      ...[send(uid), dueSends(lane), exclusions(uid)],
      ...keysOfDelayed(keys),
      report(uid),
      ...keysOfStreams(keys, page.batches),
    ],
    [
      uid,
      fence,
      cursor,
      page.cursor ?? '',
      leaseMs,
      KEEP_ENDED_SECONDS,
      KEEP_DEAD_LETTERS_SECONDS,
      work(laneOfWork({ lane }, page)),
      changes.size,
      ...[...changes].flat(),
      ...placed.flatMap(({ batch: { targetKind, count, delayMs = 0 }, targets }) => [
        targetKind,
        count,
        ...targets,
        Math.ceil(delayMs),
      ]),
    ],
  ).catch(replyWhenOutOfMemory('FULL'))
  const [reply] = await Promise.all([committed, ...placed.map(({ isSent }) => isSent)])
  const results = { COMMITTED: 'committed', FULL: 'full', LOST: 'lost' } as const
  const result = results[readWord(reply, ['COMMITTED', 'FULL', 'LOST'])]
  if (result !== 'committed') deleteUnusedTargets({ client, keys }, placed)
  return result
}

/**
 * Whether the stream of one of these batches is full. Checked before the page is sent to Redis: sending a page that is
 * then refused costs as much as storing it.
 */
async function isStreamFull({ client, keys }: Scope, batches: readonly NewBatch[]): Promise<boolean> {
  // Batches with a delay are not in the streams until it is over, so the limit does not apply to them.
  const counted = batches.filter(({ lane, delayMs = 0 }) => lane === 'broadcast' && delayMs <= 0)
  const providers = [...new Set(counted.map(({ provider }) => provider))]
  if (providers.length === 0) return false
  const isFull = await IS_FULL.run(
    client,
    [keys.pauses, ...providers.map((provider) => keys.batches('broadcast', provider))],
    [GROUP, MAX_WAITING_BATCHES, MAX_WAITING_BATCHES_OF_PAUSED, ...providers],
  )
  return isFull === 1
}

/**
 * Extends the lease of a claimed send during its fan-out. A lease of 0 ms releases the send: another worker can claim
 * it at once.
 */
export async function extendSendLease({ client, keys }: Scope, { uid, lane, fence }: SendClaim, leaseMs: number) {
  const reply = await EXTEND_WALK.run(
    client,
    [keys.send(uid), keys.dueSends(lane)],
    [uid, fence, leaseMs, keys.work(lane)],
  )
  return readWord(reply, ['EXTENDED', 'LOST']) === 'LOST' ? ('lost' as const) : ('extended' as const)
}
