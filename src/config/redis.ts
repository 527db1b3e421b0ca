// The options of a Redis connection, as in Centrifugo: `engine.redis` and `push_notifications.queue.redis` have the
// same.
import * as v from 'valibot'
import { clientTls } from './client-tls.ts'
import { described, likeSection, secret } from './option.ts'
import { duration, filledText, kindOf, list, text, wholeNumber } from './values.ts'

const texts = list(v.string(), 'addresses')

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
    '`host:port`, `redis://user:password@host:port/db`, `rediss://…` for TLS, or `unix:///path`. A URL may have ' +
      'options of Centrifugo in its query, such as `?tls_enabled=true&db=5`. Shards are not supported.',
  ),
  user: described(v.optional(text, ''), 'The user; empty for the default user.'),
  password: described(v.optional(secret(text), ''), 'The password of the user.'),
  db: described(v.optional(wholeNumber(0, 65_535), 0), 'The number of the database.'),
  prefix: described(v.optional(text, 'centrifugo'), 'The beginning of all keys.'),
  connect_timeout: described(v.optional(duration(1), '1s'), 'How long a connection may take to open.'),
  io_timeout: described(v.optional(duration(1), '4s'), 'How long an answer may take.'),
  tls: described(v.optional(clientTls, {}), 'TLS of the connections.'),
  sentinel_address: described(
    v.optional(texts, []),
    'Sentinels, `host:port` each, in place of `address`; `sentinel_master_name` is needed then.',
  ),
  sentinel_master_name: described(v.optional(text, ''), 'The name of the primary that the Sentinels watch.'),
  sentinel_user: described(v.optional(text, ''), 'The user at the Sentinels.'),
  sentinel_password: described(v.optional(secret(text), ''), 'The password at the Sentinels.'),
  sentinel_tls: described(
    v.optional(likeSection(clientTls, 'push_notifications.queue.redis.tls'), {}),
    'TLS of the connections to the Sentinels.',
  ),
  cluster_address: described(
    v.optional(texts, []),
    'Nodes of a Redis Cluster, `host:port` each, in place of `address`.',
  ),
}

const RedisSchema = v.object(redisOptions)
export type RedisOptions = v.InferOutput<typeof RedisSchema>
