// Runs the Lua scripts that claim, confirm and release batches. A batch is an entry of a stream; the
// consumer that owns the pending entry and its number of deliveries together are the fence of the claim.
import type { ProviderName } from '../../config/provider-names.ts'
import { Script } from '../../redis/script.ts'
import { decodeLines } from '../../sends/line-bytes.ts'
import type { BatchClaim, ClaimKey, ClaimState, Progress } from '../batch.ts'
import type { Lane } from '../lane.ts'
import { entryOf } from './claim-id.ts'
import { type FoundBatch, readFoundBatches, readWord } from './replies.ts'
import { GROUP, type Scope } from './scope.ts'
import { loadTargets } from './stored-targets.ts'

const CLAIM_BATCHES = new Script(new URL('lua/claim-batches.lua', import.meta.url))
const CONFIRM = new Script(new URL('lua/confirm.lua', import.meta.url))
const CHECKPOINT = new Script(new URL('lua/checkpoint.lua', import.meta.url))
const RELEASE = new Script(new URL('lua/release.lua', import.meta.url))

/** A worker as a consumer of the group that reads the streams of batches. */
export interface Consumer extends Scope {
  /** The name of the consumer in its group. */
  consumer: string
}

/** The parameters of claimBatches(). */
export interface ClaimOptions {
  lane: Lane
  providers: readonly ProviderName[]
  limit: number
  /** As of `Queue.claimBatches`. */
  leastWaitMs: number
  leaseMs: number
  /**
   * Whether to look for abandoned batches first. The search reads all pending entries, which costs more than the claim.
   */
  looksForAbandoned: boolean
}

/** The batches that one call of claimBatches() has claimed. */
export interface Claimed {
  claims: BatchClaim[]
  /** Claims of batches without target lines: Redis evicted the key that held the lines. */
  empty: Omit<BatchClaim, 'targets'>[]
}

/** Claims batches of a lane: abandoned ones first, then new ones. */
export async function claimBatches({ client, keys, consumer }: Consumer, options: ClaimOptions): Promise<Claimed> {
  const { lane, providers, limit, leastWaitMs, leaseMs, looksForAbandoned } = options
  const { retries, retryBodies, pauses, batches, notes, sendPrefix, exclusionsPrefix } = keys
  const streams = providers.flatMap((provider) => [batches(lane, provider), notes(lane, provider)])
  // The content of a small send is returned with the claim: it has one batch per provider, so this saves a round trip.
  const withContent = lane === 'small' ? '1' : '0'
  const sweep = looksForAbandoned ? '1' : '0'
  const reply = await CLAIM_BATCHES.run(
    client,
    [retries, retryBodies, pauses, ...streams],
    [GROUP, consumer, limit, leaseMs, sweep, sendPrefix, exclusionsPrefix, withContent, leastWaitMs, ...providers],
  )
  return await addTargets({ client, keys }, readFoundBatches(reply, lane))
}

async function addTargets(scope: Scope, found: readonly FoundBatch[]): Promise<Claimed> {
  const names = found.map(({ targetsKey }) => targetsKey).filter(Boolean)
  const stored = await loadTargets(scope, names)
  const byKey = new Map(names.map((name, index) => [name, stored[index]]))
  const claimed: Claimed = { claims: [], empty: [] }
  for (const { claim, lines, targetsKey, range } of found) {
    const bytes = targetsKey === '' ? lines : byKey.get(targetsKey)
    // Without a copy of the claim, which would cost as much as the rest of this function.
    if (range) claimed.claims.push(Object.assign(claim, { targets: { kind: 'range' as const, range } }))
    else if (bytes) {
      claimed.claims.push(Object.assign(claim, { targets: { kind: 'lines' as const, lines: decodeLines(bytes) } }))
    } else claimed.empty.push(claim)
  }
  return claimed
}

const CLAIM_STATES = { LOST: 'lost', CANCELLED: 'cancelled', EXCLUDED: 'excluded', VALID: 'valid' } as const

/** Extends the leases that were not extended for `extendAfterMs`. @returns the state of each claim, in their order */
export async function confirmClaims(
  { client, keys, consumer }: Consumer,
  claims: readonly ClaimKey[],
  extendAfterMs: number,
): Promise<ClaimState[]> {
  const confirmed = claims.flatMap(({ uid, lane, provider }) => [
    keys.batches(lane, provider),
    keys.send(uid),
    keys.exclusions(uid),
  ])
  const args = claims.flatMap((claim) => [entryOf(claim), claim.fence])
  const reply = await CONFIRM.run(client, confirmed, [GROUP, consumer, Math.ceil(extendAfterMs), ...args])
  if (!Array.isArray(reply)) throw new TypeError('redis: expected the states of claims from a script')
  return reply.map((state) => CLAIM_STATES[readWord(state, ['LOST', 'CANCELLED', 'EXCLUDED', 'VALID'])])
}

/** Stores the progress of batches. That of lost claims is ignored. */
export async function storeProgress(
  { client, keys, consumer }: Consumer,
  progress: readonly Progress[],
): Promise<void> {
  const stored = progress.flatMap(({ claim: { lane, provider } }) => [
    keys.batches(lane, provider),
    keys.notes(lane, provider),
  ])
  const args = progress.flatMap(({ claim, finished, note }) => [
    entryOf(claim),
    claim.fence,
    Buffer.from(finished),
    note,
  ])
  await CHECKPOINT.run(client, stored, [GROUP, consumer, ...args])
}

/**
 * Releases a claimed batch: it can be claimed again at once, and no attempt is counted. Changes nothing if the claim is
 * lost.
 */
export async function releaseBatch({ client, keys, consumer }: Consumer, claim: ClaimKey): Promise<void> {
  const { lane, provider, fence, attempt } = claim
  const args = [GROUP, consumer, entryOf(claim), fence, attempt - 1, keys.work(lane)]
  await RELEASE.run(client, [keys.batches(lane, provider), keys.notes(lane, provider)], args)
}
