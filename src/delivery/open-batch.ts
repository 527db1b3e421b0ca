import type { BatchClaim, DeviceRange } from '../queue/batch.ts'
import type { Queue } from '../queue/queue.ts'
import { decodeTarget } from '../sends/target-line.ts'

/** A claimed batch with its targets. */
export interface OpenBatch extends Omit<BatchClaim, 'targets'> {
  lines: readonly string[]
  /** The part of a range that becomes another batch, because the range has more devices than a batch may have. */
  rest: DeviceRange | undefined
}

/** A target that is sent: its line, and the position of the line in the batch. */
export interface OpenTarget {
  line: string
  place: number
}

/** Finds the targets of a batch to send: not finished by an earlier attempt, and not excluded. */
export async function findOpenTargets(queue: Pick<Queue, 'findExcluded'>, batch: OpenBatch): Promise<OpenTarget[]> {
  const targets = batch.lines.map((line, place) => ({ line, place }))
  const { finished } = batch
  const unfinished = finished ? targets.filter(({ place }) => !isSet(finished, place)) : targets
  if (!batch.hasExclusions) return unfinished
  const excluded = new Set(await findExcludedTargets(queue, batch.uid, unfinished))
  return unfinished.filter((target) => !excluded.has(target))
}

/** Finds the targets that are excluded from the send. */
export async function findExcludedTargets(
  queue: Pick<Queue, 'findExcluded'>,
  uid: string,
  targets: readonly OpenTarget[],
): Promise<OpenTarget[]> {
  const isExcluded = await queue.findExcluded(
    uid,
    targets.map(({ line }) => decodeTarget(line)),
  )
  return targets.filter((_, index) => isExcluded[index])
}

function isSet(bits: Uint8Array, place: number): boolean {
  return (((bits[place >> 3] ?? 0) >> (place & 7)) & 1) === 1
}
