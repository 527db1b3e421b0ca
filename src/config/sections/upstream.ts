import * as v from 'valibot'
import { described, secret, section } from '../option.ts'
import { duration, filledText, text, url, wholeNumber } from '../values.ts'

/** The section of the Centrifugo node behind this server. */
export const upstream = section({
  address: described(url('http:', 'https:'), 'The base URL of the node. Needed in this section.'),
  api_key: described(
    v.optional(secret(text), ''),
    'The `http_api.key` of the node. Clients of centripush do not see it.',
  ),
  timeout: described(
    v.optional(duration(1), '10s'),
    'How long the node may take to begin its answer, and between two parts of an answer.',
  ),
  connect_timeout: described(v.optional(duration(1), '1s'), 'How long a connection to the node may take to open.'),
  max_connections: described(v.optional(wholeNumber(1, 10_000), 128), 'The most connections to the node.'),
  admin_handler_prefix: described(
    v.optional(filledText),
    'The `admin.handler_prefix` of the node, `/` for none. The admin web UI of the node is then served below it too, ' +
      'on the internal port if there is one. Absent: not served. `admin` itself is about centripush.',
  ),
  ca_file: described(v.optional(text), 'PEM file of a certificate authority to trust besides those of the system.'),
})
