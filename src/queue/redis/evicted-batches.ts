import type { Logger } from '../../observability/log.ts'
import { countFailedBatch } from '../stored-report.ts'
import { groupAcknowledgements } from './acknowledgements.ts'
import type { Claimed, Consumer } from './batch-scripts.ts'

/** The reason of the failed targets in the report. */
const REASON = 'evicted by Redis'

/** Ends claimed batches without target lines, which Redis has evicted: their targets are unknown. */
export async function endEvictedBatches(queue: Consumer, batches: Claimed['empty'], logger: Logger): Promise<void> {
  const acknowledgements = groupAcknowledgements(queue)
  const ends = batches.map((claim) => {
    const { uid, provider, count: targets } = claim
    logger.error(
      { uid, provider, targets },
      'queue: target lines evicted, batch ended unsent; set maxmemory-policy to noeviction',
    )
    const counts = countFailedBatch(claim, 'lines', REASON)
    return acknowledgements.add({ claim, retries: [], givenUp: [], counts })
  })
  await Promise.all(ends)
}
