import * as v from 'valibot'
import { described, section } from '../option.ts'
import { duration, factor, flag, wholeNumber } from '../values.ts'

/** The section of the workers, which send the pushes. */
export const worker = section({
  processes: described(
    v.optional(wholeNumber(1, 256)),
    'Worker processes that send every push. Absent: two more than there are CPU cores, or 1 on one core. With 1 the ' +
      'server process itself sends; with more, one additional process sends only small sends, so that broadcasts do ' +
      'not delay them.',
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
