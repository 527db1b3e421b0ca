// Runs the Lua script that ends claimed batches. Acknowledgements that arrive at the same time share a call of it.
import * as v from 'valibot'
import { Script } from '../../redis/script.ts'
import { GroupedCalls } from '../../timing/grouped-calls.ts'
import type { ClaimKey, Remainder } from '../batch.ts'
import { KEEP_DEAD_LETTERS_SECONDS, KEEP_ENDED_SECONDS } from '../limits.ts'
import { sumCounts } from '../stored-report.ts'
import type { Consumer } from './batch-scripts.ts'
import { entryOf } from './claim-id.ts'
import { GROUP, keysOfDelayed } from './scope.ts'
import { encodeTargets } from './stored-targets.ts'

const ACKNOWLEDGE = new Script(new URL('lua/acknowledge.lua', import.meta.url))

/** The most acknowledgements of one script, and their targets in characters: it takes few milliseconds. */
const MAX_TOGETHER = 64
const MAX_TARGETS_LENGTH = 256 * 1024

/** The end of one claimed batch: its claim, and the targets to retry or to give up. */
export interface Acknowledgement extends Remainder {
  claim: ClaimKey
}

const Replies = v.array(v.instance(Buffer))

/**
 * Removes claimed batches, stores their retries and dead letters, and counts their targets. Resolves for each batch to
 * 'lost' without a change if its claim is lost, or to the error that only this batch has.
 */
export async function acknowledgeBatches(
  { client, keys, consumer }: Consumer,
  ends: readonly Acknowledgement[],
): Promise<('acknowledged' | 'lost' | Error)[]> {
  const keysOfBatches = ends.flatMap(({ claim: { uid, lane, provider } }) => [
    keys.batches(lane, provider),
    keys.notes(lane, provider),
    keys.send(uid),
    keys.exclusions(uid),
    keys.report(uid),
  ])
  const reply = await ACKNOWLEDGE.run(
    client,
    [...keysOfDelayed(keys), keys.deadLetters, ...keysOfBatches],
    [
      ...[GROUP, consumer, KEEP_ENDED_SECONDS, KEEP_DEAD_LETTERS_SECONDS],
      ...ends.flatMap((end) => encodeEnd(end, keys.work(end.claim.lane))),
    ],
  )
  return v.parse(Replies, reply).map(readResult)
}

function encodeEnd({ claim, retries, givenUp, counts = [] }: Acknowledgement, channel: string) {
  const { uid, lane, provider, targetKind, fence, attempt } = claim
  const changes = sumCounts(counts)
  return [
    ...[entryOf(claim), fence, provider, lane, targetKind, uid, attempt, channel],
    ...[retries.length, givenUp.length, changes.size],
    ...[...changes].flat(),
    ...retries.flatMap(({ count, targets, ambiguousAttempts, delayMs, startsOver }) => [
      count,
      ...encodeTargets(targets),
      ambiguousAttempts,
      Math.ceil(delayMs),
      startsOver ? '1' : '0',
    ]),
    ...givenUp.flatMap(({ count, targets, reason }) => [count, ...encodeTargets(targets), reason]),
  ]
}

function readResult(reply: Buffer): 'acknowledged' | 'lost' | Error {
  const word = reply.toString()
  if (word === 'ACKNOWLEDGED') return 'acknowledged'
  return word === 'LOST' ? 'lost' : new Error(`redis: batch not acknowledged: ${word}`)
}

/** Groups acknowledgements: those that arrive while a script runs share the next one. */
export function groupAcknowledgements(queue: Consumer): GroupedCalls<Acknowledgement, 'acknowledged' | 'lost'> {
  return new GroupedCalls({
    run: (ends) => acknowledgeBatches(queue, ends),
    maxTogether: MAX_TOGETHER,
    sizeOf: ({ retries, givenUp }) => [...retries, ...givenUp].reduce((sum, { targets }) => sum + lengthOf(targets), 0),
    maxSize: MAX_TARGETS_LENGTH,
  })
}

function lengthOf(targets: Remainder['retries'][number]['targets']): number {
  return targets.kind === 'lines' ? targets.lines.length : 0
}
