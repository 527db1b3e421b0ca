import type { Logger } from '../../observability/log.ts'
import { type Repetition, startRepeating } from '../../timing/repeat.ts'
import type { Consumer } from './batch-scripts.ts'
import { trimReports } from './report-scripts.ts'
import { cleanUp, giveUpUnclaimedBatches } from './upkeep-scripts.ts'

const UPKEEP_INTERVAL_MS = 60_000

interface Deps {
  queue: Consumer
  /** How long the report of a send is kept after its end, in ms. */
  keepReportsMs: number
  /** The most reports that are kept. */
  maxReports: number
  logger: Logger
}

/** Once a minute removes old entries and reports, and gives up batches that no worker claims. Errors are logged. */
export function startUpkeep({ queue, keepReportsMs, maxReports, logger }: Deps): Repetition {
  return startRepeating({
    intervalMs: UPKEEP_INTERVAL_MS,
    work: async () => {
      await Promise.all([cleanUp(queue), giveUpUnclaimedBatches(queue), trimReports(queue, keepReportsMs, maxReports)])
    },
    onError: (error) => logger.warn({ err: error }, 'queue: clean-up failed, retrying in a minute'),
  })
}
