import type { Logger } from '../../observability/log.ts'
import { type Repetition, startRepeating } from '../../timing/repeat.ts'
import type { Spool, SpooledBatch } from './spool.ts'

/** How often the files of ended processes are looked for, in ms. */
const INTERVAL_MS = 60_000

interface Options {
  spool: Spool
  /** The rows that this process has room for. */
  room(): number
  onBatch(batch: SpooledBatch): void
  logger: Logger
}

/** Takes over the batches of ended processes, at once and every minute. */
export function startAdoption({ spool, room, onBatch, logger }: Options): Repetition {
  return startRepeating({
    intervalMs: INTERVAL_MS,
    startsAtOnce: true,
    async work() {
      let batches = 0
      await spool.adopt(room(), (batch) => {
        batches++
        onBatch(batch)
      })
      if (batches > 0) logger.info({ batches }, 'analytics: batches of ended processes taken over')
    },
    onError: (error) => logger.warn({ err: error }, 'analytics: batches of ended processes not read'),
  })
}
