// The options of a Redis connection, as in Centrifugo: `engine.redis` and `push_notifications.queue.redis` have the
// same.
import * as v from 'valibot'
import { described, likeSection, secret, section } from './option.ts'
import { duration, filledText, flag, kindOf, list, pem, text, wholeNumber } from './values.ts'

const texts = list(v.string(), 'addresses')

const tls = section({
  enabled: described(v.optional(flag, false), 'Connects with TLS; `rediss://` addresses do it too.'),
  cert_pem: described(v.optional(pem, ''), 'A client certificate.'),
  key_pem: described(v.optional(secret(pem), ''), 'The private key of the client certificate.'),
  server_ca_pem: described(v.optional(pem, ''), 'A certificate authority to trust in place of those of the system.'),
  server_name: described(v.optional(text, ''), 'The name in the certificate of the server. Empty: its host.'),
  insecure_skip_verify: described(v.optional(flag, false), 'Accepts any certificate. For tests only.'),
})

/** The addresses of Redis: one address as text, or a list, as in Centrifugo. */
const address = v.pipe(
  v.union([
    v.pipe(
      filledText,
      v.transform((one) => [one]),
    ),
    texts,
  ]),
  kindOf<string[]>('address', { type: ['string', 'array'], items: { type: 'string' } }),
)

/** The options of the sections `engine.redis` and `push_notifications.queue.redis`. */
export const redisOptions = {
  address: described(
    v.optional(secret(address), ['redis://127.0.0.1:6379']),
    '`host:port`, `redis://user:password@host:port/db`, or `rediss://…` for TLS. Shards are not supported.',
  ),
  user: described(v.optional(text, ''), 'The user; empty for the default user.'),
  password: described(v.optional(secret(text), ''), 'The password of the user.'),
  db: described(v.optional(wholeNumber(0, 65_535), 0), 'The number of the database.'),
  prefix: described(v.optional(text, 'centrifugo'), 'The beginning of all keys.'),
  connect_timeout: described(v.optional(duration(1), '1s'), 'How long a connection may take to open.'),
  io_timeout: described(v.optional(duration(1), '4s'), 'How long an answer may take.'),
  tls: described(v.optional(tls, {}), 'TLS of the connections.'),
  sentinel_address: described(
    v.optional(texts, []),
    'Sentinels, `host:port` each, in place of `address`; `sentinel_master_name` is needed then.',
  ),
  sentinel_master_name: described(v.optional(text, ''), 'The name of the primary that the Sentinels watch.'),
  sentinel_user: described(v.optional(text, ''), 'The user at the Sentinels.'),
  sentinel_password: described(v.optional(secret(text), ''), 'The password at the Sentinels.'),
  sentinel_tls: described(
    v.optional(likeSection(tls, 'push_notifications.queue.redis.tls'), {}),
    'TLS of the connections to the Sentinels.',
  ),
  cluster_address: described(
    v.optional(texts, []),
    'Nodes of a Redis Cluster, `host:port` each, in place of `address`.',
  ),
}

const RedisSchema = v.object(redisOptions)
export type RedisOptions = v.InferOutput<typeof RedisSchema>
