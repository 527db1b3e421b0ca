// Centrifugo's options of a Redis, as `engine.redis` and `push_notifications.queue.redis` have them.
import * as v from 'valibot'
import { duration, filledText, flag, text, textList, wholeNumber } from './values.ts'

const tls = v.optional(
  v.object({
    enabled: v.optional(flag, false),
    /** PEM material: the text itself, its base64, or the path of a file. */
    cert_pem: v.optional(text, ''),
    key_pem: v.optional(text, ''),
    /** An authority to trust in place of the system's. */
    server_ca_pem: v.optional(text, ''),
    server_name: v.optional(text, ''),
    insecure_skip_verify: v.optional(flag, false),
  }),
  {},
)

export const redisOptions = {
  /** `host:port`, `redis://user:password@host:port/db` or `rediss://…` for TLS. One: shards are not supported. */
  address: v.optional(
    v.union([
      v.pipe(
        filledText,
        v.transform((one) => [one]),
      ),
      textList,
    ]),
    ['redis://127.0.0.1:6379'],
  ),
  user: v.optional(text, ''),
  password: v.optional(text, ''),
  db: v.optional(wholeNumber(0, 65_535), 0),
  /** Before all keys. */
  prefix: v.optional(text, 'centrifugo'),
  connect_timeout: v.optional(duration(1), '1s'),
  /** How long an answer may take. */
  io_timeout: v.optional(duration(1), '4s'),
  tls,
  /** Sentinels, `host:port` each; with `sentinel_master_name`. */
  sentinel_address: v.optional(textList, []),
  sentinel_master_name: v.optional(text, ''),
  sentinel_user: v.optional(text, ''),
  sentinel_password: v.optional(text, ''),
  sentinel_tls: tls,
  /** Nodes of a Cluster, `host:port` each. */
  cluster_address: v.optional(textList, []),
}

const RedisSchema = v.object(redisOptions)
export type RedisOptions = v.InferOutput<typeof RedisSchema>
