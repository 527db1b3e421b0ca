// Runs the Lua scripts of fan-out: they claim sends and commit pages.
import { ReplyError } from 'ioredis'
import { replyWhenOutOfMemory } from '../../redis/out-of-memory.ts'
import { Script } from '../../redis/script.ts'
import { GroupedCalls } from '../../timing/grouped-calls.ts'
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
import { isOnlySmallPage, type WalkedPage } from '../walked-page.ts'
import { readSendClaims, readWord } from './replies.ts'
import { GROUP, keysOfDelayed, keysOfStreams, type Scope } from './scope.ts'
import { deleteUnusedTargets, placeTargets } from './stored-targets.ts'

const CLAIM_SENDS = new Script(new URL('lua/claim-sends.lua', import.meta.url))
const COMMIT_PAGES = new Script(new URL('lua/commit-pages.lua', import.meta.url))
const IS_FULL = new Script(new URL('lua/is-full.lua', import.meta.url))
const EXTEND_WALK = new Script(new URL('lua/extend-walk.lua', import.meta.url))

/** The most pages that one script commits. Redis does nothing else during a script, so it takes at most 2 ms. */
const MAX_TOGETHER = 32
/** The results of a commit by the words of the script. */
const RESULTS = { COMMITTED: 'committed', FULL: 'full', LOST: 'lost' } as const

/** Claims up to `limit` sends of a lane for fan-out; the send that became due first is claimed first. */
export async function claimDueSends({ client, keys }: Scope, lane: Lane, limit: number, leaseMs: number) {
  const args = [limit, leaseMs, keys.sendPrefix, keys.exclusionsPrefix]
  return readSendClaims(await CLAIM_SENDS.run(client, [keys.dueSends(lane), keys.scheduled, keys.reports], args), lane)
}

/**
 * Commits pages. Those that are the only ones of small sends, and arrive in one turn of the event loop, share a script.
 */
export class PageCommits {
  readonly #scope: Scope
  readonly #leaseMs: number
  readonly #small: GroupedCalls<WalkedPage, CommitResult>

  constructor(scope: Scope, leaseMs: number) {
    this.#scope = scope
    this.#leaseMs = leaseMs
    this.#small = new GroupedCalls({
      maxTogether: MAX_TOGETHER,
      // A script need not wait for the reply to another one: Redis executes those of a connection in their order.
      maxRunning: Number.POSITIVE_INFINITY,
      keyOf: ({ claim }) => claim.uid,
      mayBeOfOneCall: (error) => error instanceof ReplyError,
      run: (pages) => storePages(scope, pages, leaseMs),
    })
  }

  /** As `Queue.commitPage`. */
  async commit(claim: SendClaim, page: Page): Promise<CommitResult> {
    if (isOnlySmallPage({ claim, page })) return await this.#small.add({ claim, page })
    if (await isStreamFull(this.#scope, page.batches)) {
      return (await extendSendLease(this.#scope, claim, this.#leaseMs)) === 'extended' ? 'full' : 'lost'
    }
    const [result = 'lost'] = await storePages(this.#scope, [{ claim, page }], this.#leaseMs)
    return result
  }
}

/** Writes the batches of pages and moves the cursors of their walks, each unless the claim is lost. */
async function storePages(
  { client, keys }: Scope,
  pages: readonly WalkedPage[],
  leaseMs: number,
): Promise<CommitResult[]> {
  const names = keysOfDelayed(keys)
  const args: (string | number | Buffer)[] = [leaseMs, KEEP_ENDED_SECONDS, KEEP_DEAD_LETTERS_SECONDS]
  const placed = pages.map(({ page }) => page.batches.map((batch) => placeTargets({ client, keys }, batch)))
  for (const [index, { claim, page }] of pages.entries()) {
    const { uid, lane, fence, cursor = '' } = claim
    const changes = sumCounts(countPage(page))
    const channel = keys.work(laneOfWork({ lane }, page))
    names.push(keys.send(uid), keys.dueSends(lane), keys.exclusions(uid), keys.report(uid))
    names.push(...keysOfStreams(keys, page.batches))
    args.push(uid, fence, cursor, page.cursor ?? '', channel, changes.size, page.batches.length, ...[...changes].flat())
    for (const { batch, targets } of placed[index] ?? []) {
      args.push(batch.targetKind, batch.count, ...targets, Math.ceil(batch.delayMs ?? 0))
    }
  }
  const committed = COMMIT_PAGES.run(client, names, args).catch(replyWhenOutOfMemory('OOM'))
  const [reply] = await Promise.all([committed, ...placed.flat().map(({ isSent }) => isSent)])
  const words = Array.isArray(reply) ? reply : pages.map(() => Buffer.from('FULL'))
  return words.map((word, index) => {
    const result = RESULTS[readWord(word, ['COMMITTED', 'FULL', 'LOST'])]
    if (result !== 'committed') deleteUnusedTargets({ client, keys }, placed[index] ?? [])
    return result
  })
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
