import type { Logger } from '../../observability/log.ts'
import { countFailedBatch } from '../stored-report.ts'
import { acknowledgeBatch, type Claimed, type Consumer } from './batch-scripts.ts'

/** The reason of the failed targets in the report. */
const REASON = 'evicted by Redis'

/** Ends claimed batches without target lines, which Redis has evicted: their targets are unknown. */
export async function endEvictedBatches(queue: Consumer, batches: Claimed['empty'], logger: Logger): Promise<void> {
  for (const claim of batches) {
    const { uid, provider, count: targets } = claim
    logger.error(
      { uid, provider, targets },
      'queue: target lines evicted, batch ended unsent; set maxmemory-policy to noeviction',
    )
    const counts = countFailedBatch(claim, 'lines', REASON)
    await acknowledgeBatch(queue, claim, { retries: [], givenUp: [], counts })
  }
}
