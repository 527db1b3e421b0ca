import * as v from 'valibot'
import { described, secret, section } from '../option.ts'
import { flag, headerText, oneOf, text, wholeNumber } from '../values.ts'

/** The section of the server API: its keys and limits. */
export const httpApi = section({
  disabled: described(v.optional(flag, false), 'Does not serve the API.'),
  handler_prefix: described(v.optional(text, '/api'), 'The path under which the API is served.'),
  key: described(
    v.optional(secret(headerText)),
    'The key that clients send. Absent: a random key is made at the first start and kept in `data_dir`.',
  ),
  error_mode: described(
    v.optional(oneOf(['', 'transport']), ''),
    '`transport` answers errors as HTTP statuses, like the request header `X-Centrifugo-Error-Mode: transport`.',
  ),
  error_details: described(
    v.optional(flag, false),
    'Adds the reason to error objects as `details`, with the path of the field. The response header ' +
      '`X-Centripush-Error-Details` has it in any case.',
  ),
  external: described(
    v.optional(flag, false),
    'Serves the API on the external port too when there is an internal port.',
  ),
  insecure: described(
    v.optional(flag, false),
    'Accepts requests without a key. Use it only when untrusted clients can’t reach the port.',
  ),
  max_request_body_size: described(
    v.optional(wholeNumber(1024, 2 ** 31 - 1), 64 * 1024 * 1024),
    'The size limit of a request in bytes. A larger one is answered with 413 and not read further.',
  ),
  max_request_bodies_size: described(
    v.optional(wholeNumber(1024, 2 ** 40), 96 * 1024 * 1024),
    'The size limit in bytes of all request bodies that the server reads at the same time. A request beyond it is ' +
      'answered with 503 and `Retry-After`, and its body is not read. A quarter is reserved for bodies of up to ' +
      '256 KiB. Bodies that are forwarded to the node unread do not count. Larger bodies are decoded in a process of ' +
      'their own, which runs only while there are some, and which may use several times their size.',
  ),
})
