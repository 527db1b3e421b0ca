import * as v from 'valibot'
import { described, section } from '../option.ts'
import { duration, factor, flag, wholeNumber } from '../values.ts'

/** The section of the workers, which send the pushes. */
export const worker = section({
  processes: described(
    v.optional(wholeNumber(1, 256)),
    'Worker processes that send every push, running at all times; with 1 the server process itself sends. Absent: ' +
      'the server process sends alone, and at a load (1,000 targets or 100 batches in a second) it starts two more ' +
      'than there are CPU cores, and ends them after five minutes without one. On one core or below 2 GB of memory ' +
      'it stays alone. One additional process sends only small sends, so that broadcasts do not delay them.',
  ),
  lease: described(
    v.optional(duration(100), '15s'),
    'How long a claim is valid without a heartbeat. A batch of a killed worker is sent by another one after it.',
  ),
  heartbeat: described(
    v.optional(duration(10), '5s'),
    'How often a worker extends its leases; at most half of `lease`.',
  ),
  removal_breaker: described(
    v.optional(flag, true),
    'Stops removing devices while a provider calls more than half of the tokens dead. Set it to false when the ' +
      'provider is right.',
  ),
  retry_scale: described(v.optional(factor, 1), 'Multiplies the delays before retries. Values below 1 are for tests.'),
})
