// The sections about push methods that clients call: through the node's RPC proxy, and over HTTP.
import * as v from 'valibot'
import { described, secret, section } from '../option.ts'
import { filledText, flag, list, text, wholeNumber } from '../values.ts'

/** The section of the endpoint that the node's RPC proxy calls. */
export const rpcProxy = section({
  key: described(
    v.optional(secret(filledText)),
    'The secret that the node sends in the header `X-Centripush-Proxy-Key`. Absent: the endpoint is off, unless ' +
      '`client_certificates` is true. It must not be an API key.',
  ),
  client_certificates: described(
    v.optional(flag, false),
    'Serves the endpoint without a key, because the port requires client certificates (`client_ca_pem`). All of its ' +
      'clients can then act as any user.',
  ),
  handler_prefix: described(
    v.optional(text, '/proxy/rpc'),
    'The path of the endpoint, on the internal port if there is one. Clients must not reach it.',
  ),
})

const filledItem = v.pipe(v.string(), v.nonEmpty('expected text but found none'))

const pattern = v.pipe(
  filledItem,
  v.check(
    (value) => !/[{}]/.test(value.replaceAll('{user}', '')),
    (issue) => `expected a pattern such as "news-*" or "chat-{user}" but found "${issue.input}"`,
  ),
)

/** The section of the push methods that clients call. */
export const clientPush = section({
  http_enabled: described(
    v.optional(flag, false),
    'Serves the push methods over HTTP too, to clients with a connection JWT (`client.token`).',
  ),
  http_handler_prefix: described(
    v.optional(text, '/push'),
    'The path above the methods over HTTP, on the external port: `/push/ack`.',
  ),
  topics: described(
    v.optional(list(pattern, 'topic patterns'), []),
    'The topics that clients may choose for their devices. `*` stands for any characters, `{user}` for the user. ' +
      'Empty: none, only servers choose.',
  ),
  meta_keys: described(
    v.optional(list(filledItem, 'names'), []),
    'The names in `meta` that clients may set for their devices. Empty: none.',
  ),
  user_limit: described(
    v.optional(wholeNumber(1000, 1_000_000), 3000),
    'The most calls of one user a minute in each server process. An ack counts as many as it has uids, a ' +
      'change of topics as many as it has topics. Beyond it calls are answered with error 111.',
  ),
})
