import type { StoreOutage } from '../observability/store-monitor.ts'
import { ApiError } from '../protocol/errors.ts'

/** A full queue has room again within seconds, so the answer asks for a retry after this. */
const RETRY_SECONDS = 5

/** Why the queue refuses a send. */
export const REFUSALS = {
  full: {
    cause: 'the queue is full: max_stream_length jobs are waiting',
    mend: 'add workers, or raise max_stream_length of the queue',
    isPartial: true,
  },
  tooManyScheduled: {
    cause: 'too many sends are scheduled: the queue has max_scheduled_sends',
    mend: 'wait until some are due, cancel some, or raise max_scheduled_sends of the queue',
    isPartial: true,
  },
  outOfMemory: {
    cause: 'Redis is at maxmemory and refuses new sends',
    mend: 'raise maxmemory of Redis, or add workers so that the queue shrinks',
    isPartial: true,
  },
} as const satisfies Record<string, StoreOutage>

/** The queue has no room for another send. */
export class QueueFullError extends ApiError {
  /** For the log, which has a line a minute for all of these errors. */
  readonly outage: StoreOutage

  constructor(why: keyof typeof REFUSALS) {
    super('internal', REFUSALS[why].cause, { retryAfterSeconds: RETRY_SECONDS })
    this.outage = REFUSALS[why]
  }
}
