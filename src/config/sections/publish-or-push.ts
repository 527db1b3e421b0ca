import * as v from 'valibot'
import { described, section } from '../option.ts'
import { duration, text, wholeNumber } from '../values.ts'

/** The section of the method `publish_or_push`. */
export const publishOrPush = section({
  delay: described(
    v.optional(duration(), '10s'),
    'How long the push waits for an ack when a request has no `delay_ms`. If it is shorter than a reconnection of a ' +
      'client, users get the push although their client shows the message soon after.',
  ),
  tag: described(
    v.optional(text, 'push_uid'),
    'The tag of the publication that tells clients the uid to acknowledge. Empty: no tag is added.',
  ),
  presence_max_clients: described(
    v.optional(wholeNumber(0, 100_000), 1000),
    'With `presence: "shorten"`: the most clients of all channels together. If there are more, the pushes to all ' +
      'users are delayed.',
  ),
})
