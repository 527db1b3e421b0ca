import type { Sql } from '../../database/pool.ts'
import { GroupedCalls } from '../../timing/grouped-calls.ts'
import { type Acknowledgement, acknowledgeBatches } from './acknowledge-statement.ts'
import { inTime } from './in-time.ts'

/** The most acknowledgements that one statement executes, so that it takes only milliseconds. */
const MAX_TOGETHER = 64

/** Groups acknowledgements: those that arrive during a statement share the next statement and its commit. */
export function groupAcknowledgements(sql: Sql): GroupedCalls<Acknowledgement, 'acknowledged' | 'lost'> {
  return new GroupedCalls({
    maxTogether: MAX_TOGETHER,
    // One statement with a repeated acknowledgement would store the retries of the batch twice.
    keyOf: ({ claim }) => claim.id,
    run: async (ends) => {
      // One time limit for the group. A statement that hangs does not hold up the next one for longer.
      const ended = await inTime(acknowledgeBatches(sql, ends))
      return ends.map(({ claim }) => (ended.has(claim.id) ? 'acknowledged' : 'lost'))
    },
  })
}
