// The scripts that claim batches, keep them, and settle them. The owner of a pending entry and its number of deliveries
// are the fence.
import type { ProviderName } from '../../config/provider-names.ts'
import { decodeLines } from '../../sends/line-bytes.ts'
import type { BatchClaim, GivenUp, Retry } from '../batch.ts'
import type { Lane } from '../lane.ts'
import { type FoundBatch, readFoundBatches, readWord } from './replies.ts'
import { GROUP, KEEP_DEAD_LETTERS_SECONDS, KEEP_ENDED_SECONDS, type Scope } from './scope.ts'
import { Script } from './script.ts'
import { loadTargets } from './stored-targets.ts'

const CLAIM_BATCHES = new Script('claim-batches')
const EXTEND = new Script('extend')
const ACKNOWLEDGE = new Script('acknowledge')
const RELEASE = new Script('release')

/** A worker's place in the group. */
export interface Consumer extends Scope {
  /** Its name in the group. */
  consumer: string
}

export interface ClaimOptions {
  lane: Lane
  providers: readonly ProviderName[]
  limit: number
  leaseMs: number
  /** Whether to look for ended leases first: through all pending entries, which costs more than the claim. */
  sweeps: boolean
}

export interface Claimed {
  claims: BatchClaim[]
  /** Whose targets are gone: Redis evicted them. */
  empty: Omit<BatchClaim, 'lines'>[]
}

/** Claims batches whose lease has ended, and new ones. */
export async function claimBatches({ client, keys, consumer }: Consumer, options: ClaimOptions): Promise<Claimed> {
  const { lane, providers, limit, leaseMs, sweeps } = options
  const { retries, retryBodies, pauses, batches, notes, sendPrefix, dropsPrefix } = keys
  const streams = providers.flatMap((provider) => [batches(lane, provider), notes(lane, provider)])
  const withContent = lane === 'small' ? '1' : '0'
  const reply = await CLAIM_BATCHES.run(
    client,
    [retries, retryBodies, pauses, ...streams],
    [GROUP, consumer, limit, leaseMs, sweeps ? '1' : '0', sendPrefix, dropsPrefix, withContent, ...providers],
  )
  return await addTargets({ client, keys }, readFoundBatches(reply, lane))
}

async function addTargets(scope: Scope, found: readonly FoundBatch[]): Promise<Claimed> {
  const names = found.map(({ targetsKey }) => targetsKey).filter(Boolean)
  const stored = await loadTargets(scope, names)
  const byKey = new Map(names.map((name, index) => [name, stored[index]]))
  const claimed: Claimed = { claims: [], empty: [] }
  for (const { claim, inline, targetsKey } of found) {
    const lines = targetsKey === '' ? inline : byKey.get(targetsKey)
    if (lines) claimed.claims.push({ ...claim, lines: decodeLines(lines) })
    else claimed.empty.push(claim)
  }
  return claimed
}

/** Extends what is still ours, and notes what of it is settled where that is given. @returns the ids that are not ours */
export async function extendLeases(
  { client, keys, consumer }: Consumer,
  held: readonly { claim: BatchClaim; settled?: Uint8Array }[],
): Promise<Set<string>> {
  const touched = held.flatMap(({ claim: { lane, provider } }) => [
    keys.batches(lane, provider),
    keys.notes(lane, provider),
  ])
  const args = held.flatMap(({ claim, settled }) => [claim.id, claim.fence, settled ? Buffer.from(settled) : ''])
  const lost = await EXTEND.run(client, touched, [GROUP, consumer, ...args])
  const places = new Set(Array.isArray(lost) ? lost.map(Number) : [])
  return new Set(held.filter((_, index) => places.has(index + 1)).map(({ claim }) => claim.id))
}

/** Removes a batch that is still ours, and stores what is to be retried and what was given up. */
export async function settleBatch(
  { client, keys, consumer }: Consumer,
  claim: Pick<BatchClaim, 'id' | 'uid' | 'lane' | 'provider' | 'targetKind' | 'fence' | 'attempt'>,
  left: { retries: readonly Retry[]; givenUp: readonly GivenUp[] },
): Promise<'acknowledged' | 'lost'> {
  const { batches, notes, send, drops, retries, retryBodies, lastRetry, deadLetters, work } = keys
  const { id, uid, lane, provider, targetKind, fence, attempt } = claim
  const sendKeys = [send(uid), drops(uid), retries, retryBodies, lastRetry, deadLetters]
  const reply = await ACKNOWLEDGE.run(
    client,
    [batches(lane, provider), notes(lane, provider), ...sendKeys],
    [
      GROUP,
      consumer,
      id,
      fence,
      provider,
      lane,
      targetKind,
      uid,
      attempt,
      KEEP_ENDED_SECONDS,
      KEEP_DEAD_LETTERS_SECONDS,
      work(lane),
      left.retries.length,
      ...left.retries.flatMap(({ count, lines, ambiguousAttempts, delayMs, startsOver }) => [
        count,
        lines,
        ambiguousAttempts,
        Math.ceil(delayMs),
        startsOver ? '1' : '0',
      ]),
      ...left.givenUp.flatMap(({ count, lines, reason }) => [count, lines, reason]),
    ],
  )
  return readWord(reply, ['ACKNOWLEDGED', 'LOST']) === 'LOST' ? 'lost' : 'acknowledged'
}

/** Makes a batch that is still ours claimable at once, as if it had not been claimed. */
export async function releaseBatch({ client, keys, consumer }: Consumer, claim: BatchClaim): Promise<void> {
  const { lane, provider, id, fence, attempt } = claim
  const args = [GROUP, consumer, id, fence, attempt - 1, keys.work(lane)]
  await RELEASE.run(client, [keys.batches(lane, provider), keys.notes(lane, provider)], args)
}
