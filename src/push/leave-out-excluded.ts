import type { NewBatch } from '../queue/batch.ts'
import type { Queue } from '../queue/queue.ts'
import type { LeftOut, Page, SendClaim } from '../queue/send.ts'
import { DEFAULT_ACK_RULE } from '../sends/ack-rule.ts'
import { decodeLines } from '../sends/line-bytes.ts'
import { decodeTarget } from '../sends/target-line.ts'

/**
 * Leaves the excluded targets of a small send out of its page: a batch for a user who has acknowledged the send would
 * only be claimed and ended. Exclusions of broadcasts, and those that arrive later, are found when a batch is sent.
 */
export async function leaveOutExcluded(
  queue: Pick<Queue, 'findExcluded'>,
  claim: SendClaim,
  page: Page,
): Promise<Page> {
  if (!claim.hasExclusions || claim.lane !== 'small') return page
  const divided = await Promise.all(page.batches.map((batch) => divide(queue, claim, batch)))
  return {
    ...page,
    batches: divided.flatMap(({ kept }) => kept ?? []),
    leftOut: [...(page.leftOut ?? []), ...divided.flatMap(({ excluded }) => excluded ?? [])],
  }
}

/** Divides a batch. `kept` and `excluded` are absent if no targets are left for them. */
async function divide(
  queue: Pick<Queue, 'findExcluded'>,
  { uid, content: { ackRule = DEFAULT_ACK_RULE } }: SendClaim,
  batch: NewBatch,
): Promise<{ kept?: NewBatch; excluded?: LeftOut }> {
  if (batch.targets.kind !== 'lines') return { kept: batch }
  const lines = decodeLines(Buffer.from(batch.targets.lines))
  const isExcluded = await queue.findExcluded(uid, lines.map(decodeTarget), ackRule)
  const kept = lines.filter((_, index) => !isExcluded[index])
  if (kept.length === lines.length) return { kept: batch }
  const excluded = lines.filter((_, index) => isExcluded[index])
  return {
    ...(kept.length > 0 && { kept: { ...batch, targets: { kind: 'lines', lines: join(kept) }, count: kept.length } }),
    excluded: { provider: batch.provider, reason: 'excluded', lines: join(excluded), count: excluded.length },
  }
}

function join(lines: readonly string[]): Buffer {
  return Buffer.from(lines.join('\n'))
}
