import type { BatchClaim, Queue } from '../queue/queue.ts'
import { decodeTarget } from '../queue/targets.ts'
import type { OpenTarget } from './settled-batch.ts'

/** The targets of a batch that are to be sent: not settled by a worker that died, and not cancelled one by one. */
export async function findOpenTargets(queue: Pick<Queue, 'findDropped'>, claim: BatchClaim): Promise<OpenTarget[]> {
  const targets = claim.lines.map((line, place) => ({ line, place }))
  const { settled } = claim
  const unsettled = settled ? targets.filter(({ place }) => !isSet(settled, place)) : targets
  if (!claim.hasDrops) return unsettled
  const dropped = new Set(await findDroppedTargets(queue, claim.uid, unsettled))
  return unsettled.filter((target) => !dropped.has(target))
}

/** Those of a send's targets that were cancelled one by one. */
export async function findDroppedTargets(
  queue: Pick<Queue, 'findDropped'>,
  uid: string,
  targets: readonly OpenTarget[],
): Promise<OpenTarget[]> {
  const isDropped = await queue.findDropped(
    uid,
    targets.map(({ line }) => decodeTarget(line)),
  )
  return targets.filter((_, index) => isDropped[index])
}

function isSet(bits: Uint8Array, place: number): boolean {
  return (((bits[place >> 3] ?? 0) >> (place & 7)) & 1) === 1
}
