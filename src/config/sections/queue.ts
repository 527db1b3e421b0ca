import * as v from 'valibot'
import { described, section } from '../option.ts'
import { redisOptions } from '../redis.ts'
import { dsn, flag, oneOf, wholeNumber } from '../values.ts'

const MAX_STREAM_LENGTH = wholeNumber(1, 100_000_000)
const MAX_SCHEDULED_SENDS = v.optional(wholeNumber(1, 1_000_000_000), 10_000_000)
const FULL = 'At this number a send is answered with error 100 and `Retry-After`.'
const CONCURRENCY = 'Batches that a process sends at once. Small sends with 100 targets together count as one.'

const redis = section({
  ...redisOptions,
  reuse_from_engine: described(
    v.optional(flag, false),
    'Uses the connection options of `engine.redis` in place of those in this section.',
  ),
  consumer_concurrency: described(v.optional(wholeNumber(1, 1000), 64), CONCURRENCY),
  max_stream_length: described(
    v.optional(MAX_STREAM_LENGTH, 100_000),
    `The most jobs in the queue. ${FULL} Nothing is trimmed.`,
  ),
  max_scheduled_sends: described(
    MAX_SCHEDULED_SENDS,
    `The most sends with a \`send_at\` in the future; they are no jobs until then. ${FULL}`,
  ),
  partitions: described(
    v.optional(wholeNumber(1, 64), 1),
    'The parts of the queue. Each has its keys in one slot, so that the servers of a Cluster share the work: 16 are ' +
      'enough for up to five. Change the number with all processes stopped: sends that were accepted before stay in ' +
      'their partitions, and are delivered from there.',
  ),
})

const postgresql = section({
  dsn: described(v.optional(dsn), 'The database of the queue. Absent: the database of the devices.'),
  reuse_from_database: described(v.optional(flag, false), 'Uses the database of the devices even if `dsn` is given.'),
  consumer_concurrency: described(v.optional(wholeNumber(1, 1000), 16), CONCURRENCY),
  max_stream_length: described(v.optional(MAX_STREAM_LENGTH, 100_000), `The most jobs in the queue. ${FULL}`),
  max_scheduled_sends: described(
    MAX_SCHEDULED_SENDS,
    `The most sends with a \`send_at\` in the future; they are no jobs until then. ${FULL} Above a thousand, PostgreSQL's ` +
      'estimate of their number counts.',
  ),
})

/** The section of the queue: its store and its limits. */
export const queue = section({
  type: described(
    v.optional(oneOf(['redis', 'postgresql'])),
    'The store of the queue. Absent: `redis` when the section `redis` is given, else `postgresql`.',
  ),
  redis: described(v.optional(redis), 'A queue on Redis 7.0 or newer, or Valkey.'),
  postgresql: described(v.optional(postgresql, {}), 'A queue on PostgreSQL.'),
})
