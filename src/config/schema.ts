// The schema of the configuration, section by section. Keys are Centrifugo's own where Centrifugo has them, so a
// Centrifugo PRO configuration works unchanged. `npm run docs:configuration` writes docs/configuration.md and its JSON
// Schema from this schema.
import * as v from 'valibot'
import { described, likeSection, section } from './option.ts'
import { redisOptions } from './redis.ts'
import { admin } from './sections/admin.ts'
import { clickhouseAnalytics } from './sections/clickhouse-analytics.ts'
import { client } from './sections/client.ts'
import { clientPush, rpcProxy } from './sections/client-push.ts'
import { database } from './sections/database.ts'
import { endpoints } from './sections/endpoints.ts'
import { httpApi } from './sections/http-api.ts'
import { httpServer } from './sections/http-server.ts'
import { health, log, prometheus, shutdown } from './sections/operation.ts'
import { postgresqlAnalytics } from './sections/postgresql-analytics.ts'
import { pushNotifications } from './sections/push-notifications.ts'
import { upstream } from './sections/upstream.ts'
import { worker } from './sections/worker.ts'
import { filledText } from './values.ts'

const engineRedis = likeSection(section(redisOptions), 'push_notifications.queue.redis')
const engine = section({
  redis: described(
    v.optional(engineRedis),
    'Read only when `push_notifications.queue.redis.reuse_from_engine` is true.',
  ),
})

/**
 * The schema. Its input type (`v.InferInput`) is the configuration before defaults are filled in, its output type
 * after.
 */
export const ConfigSchema = section({
  data_dir: described(
    v.optional(filledText, './data'),
    'The directory of the embedded database, of the keys that centripush makes itself, and of rows ' +
      'of analytics that their store does not have yet.',
  ),
  http_server: described(v.optional(httpServer, {}), 'Addresses, ports and TLS of the server.'),
  http_api: described(v.optional(httpApi, {}), 'The server API.'),
  admin: described(v.optional(admin, {}), 'The admin web UI of centripush.'),
  upstream: described(
    v.optional(upstream),
    'The Centrifugo node behind centripush. Absent: only push methods are answered.',
  ),
  ...endpoints,
  client: described(v.optional(client, {}), 'The clients of the node: origins and tokens.'),
  rpc_proxy: described(v.optional(rpcProxy, {}), 'The endpoint for the RPC proxy of the node.'),
  client_push: described(v.optional(clientPush, {}), 'The push methods that clients call.'),
  database: described(v.optional(database), 'Where devices and topics are kept.'),
  engine: described(v.optional(engine), 'Centrifugo’s engine.'),
  push_notifications: described(v.optional(pushNotifications, {}), 'Push notifications.'),
  clickhouse_analytics: described(v.optional(clickhouseAnalytics, {}), 'Analytics in ClickHouse.'),
  postgresql_analytics: described(
    v.optional(postgresqlAnalytics, {}),
    'Analytics in the database of devices, used without ClickHouse.',
  ),
  worker: described(v.optional(worker, {}), 'The workers that send pushes.'),
  prometheus: described(v.optional(prometheus, {}), 'Metrics.'),
  health: described(v.optional(health, {}), 'The health check.'),
  log: described(v.optional(log, {}), 'The log.'),
  shutdown: described(v.optional(shutdown, {}), 'Stopping the server.'),
})

export type Config = v.InferOutput<typeof ConfigSchema>
