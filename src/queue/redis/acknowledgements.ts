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
  // The batches of a group are of few streams, often of one.
  const numbers = new Map<string, number>()
  const keysOfStreams: string[] = []
  const streams: string[] = []
  const numberOf = ({ lane, provider }: ClaimKey): number => {
    const stream = keys.batches(lane, provider)
    const known = numbers.get(stream)
    if (known !== undefined) return known
    const number = numbers.size
    numbers.set(stream, number)
    keysOfStreams.push(stream, keys.notes(lane, provider))
    streams.push(provider, lane, keys.work(lane))
    return number
  }
  const keysOfBatches = ends.flatMap(({ claim: { uid } }) => [keys.send(uid), keys.exclusions(uid), keys.report(uid)])
  const batches = ends.flatMap((end) => encodeEnd(end, numberOf(end.claim)))
  const reply = await ACKNOWLEDGE.run(
    client,
    [...keysOfDelayed(keys), keys.deadLetters, ...keysOfStreams, ...keysOfBatches],
    [GROUP, consumer, KEEP_ENDED_SECONDS, KEEP_DEAD_LETTERS_SECONDS, numbers.size, ...streams, ...batches],
  )
  return v.parse(Replies, reply).map(readResult)
}

/** @param stream the number of the batch's stream */
function encodeEnd({ claim, retries, givenUp, counts = [] }: Acknowledgement, stream: number) {
  const { uid, targetKind, fence, attempt } = claim
  const changes = sumCounts(counts)
  return [
    ...[stream, entryOf(claim), fence, targetKind, uid, attempt, retries.length, givenUp.length, changes.size],
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
