// Names of options in Centrifugo v4 and v5, and their names since v6. Most options of these versions are flat: the path
// of v6 with underscores (`log_level` is `log.level`). The tables have the others. Source: the configuration converter
// of https://centrifugal.dev/docs/getting-started/migration_v6.

/** Flat names at the top of the configuration: the beginnings that are sections of another name since v6. */
const PREFIXES: readonly (readonly [old: string, section: string])[] = [
  ['api', 'http_api'],
  ['tls', 'http_server.tls'],
  ['tls_autocert', 'http_server.tls_autocert'],
  ['redis', 'engine.redis'],
  ['nats', 'broker.nats'],
  ['token', 'client.token'],
  ['proxy_connect', 'client.proxy.connect'],
  ['proxy_refresh', 'client.proxy.refresh'],
  ['proxy_subscribe', 'channel.proxy.subscribe'],
  ['proxy_publish', 'channel.proxy.publish'],
  ['proxy_sub_refresh', 'channel.proxy.sub_refresh'],
  ['proxy_subscribe_stream', 'channel.proxy.subscribe_stream'],
  ['proxy_state', 'channel.proxy.state'],
  ['proxy_cache_empty', 'channel.proxy.cache_empty'],
  ['proxy_rpc', 'rpc.proxy'],
  ['subscription_token', 'client.subscription_token'],
]

/** Sections of v6 for options that were at the top level before: `port` is `http_server.port`. */
const SECTIONS = ['http_server', 'client', 'channel.without_namespace', 'channel', 'prometheus']

/** Names that follow no rule. */
const RENAMED: Readonly<Record<string, string>> = {
  name: 'node.name',
  engine: 'engine.type',
  namespaces: 'channel.namespaces',
  redis_use_lists: 'engine.redis.history_use_lists',
  global_history_meta_ttl: 'channel.history_meta_ttl',
  global_presence_ttl: 'engine.redis.presence_ttl',
  global_redis_presence_user_mapping: 'engine.redis.presence_user_mapping',
  separate_subscription_token_config: 'client.subscription_token.enabled',
  user_subscribe_to_personal: 'client.subscribe_to_user_personal_channel.enabled',
  user_personal_channel_namespace: 'client.subscribe_to_user_personal_channel.personal_channel_namespace',
  user_personal_single_connection: 'client.subscribe_to_user_personal_channel.single_connection',
  proxy_subscribe: 'channel.without_namespace.subscribe_proxy_enabled',
  proxy_publish: 'channel.without_namespace.publish_proxy_enabled',
  proxy_sub_refresh: 'channel.without_namespace.sub_refresh_proxy_enabled',
  proxy_subscribe_stream: 'channel.without_namespace.subscribe_stream_proxy_enabled',
  proxy_http_headers: 'http_headers of each proxy',
  proxy_static_http_headers: 'http.static_headers of each proxy',
  proxy_grpc_metadata: 'grpc_metadata of each proxy',
  rpc_proxy_name: 'rpc.without_namespace.proxy_name',
  http3: 'http_server.http3.enabled',
  use_singleflight: 'singleflight.enabled',
  client_command_rate_limit: 'client.rate_limit.client_command',
  user_command_rate_limit: 'client.rate_limit.user_command',
  redis_user_command_rate_limit: 'client.rate_limit.redis_user_command',
  client_error_limits: 'client.rate_limit.client_error',
  partitioned_presence: 'state.num_presence_partitions',
  'database.dsn': 'database.postgresql.dsn',
  'database.replica_dsn': 'database.postgresql.replica_dsn',
  'push_notifications.redis_address': 'push_notifications.queue.redis.address',
  'push_notifications.redis_prefix': 'push_notifications.queue.redis.prefix',
  'push_notifications.use_redis_from_engine': 'push_notifications.queue.redis.reuse_from_engine',
  'push_notifications.queue_engine': 'push_notifications.queue.type ("redis" or "postgresql")',
  'push_notifications.max_inactive_device_days':
    'push_notifications.max_inactive_device_interval (a duration: "720h" are 30 days)',
  'push_notifications.fcm_credentials_file_path': 'push_notifications.fcm.credentials_file',
  'push_notifications.apns_auth': 'push_notifications.apns.auth_type',
  'push_notifications.apns_token_auth_key_path': 'push_notifications.apns.token_key_file',
  'push_notifications.apns_token_auth_key_pem': 'push_notifications.apns.token_key_pem',
  'push_notifications.apns_cert_p12_path': 'push_notifications.apns.cert_p12_file',
  'push_notifications.database_queue_prefix': 'push_notifications.queue.postgresql.prefix',
  'push_notifications.database_scheduler_consumer_concurrency':
    'push_notifications.queue.postgresql.scheduler_consumer_concurrency',
  'push_notifications.database_fcm_consumer_concurrency': 'push_notifications.queue.postgresql.consumer_concurrency',
  'push_notifications.database_hms_consumer_concurrency': 'push_notifications.queue.postgresql.consumer_concurrency',
  'push_notifications.database_apns_consumer_concurrency': 'push_notifications.queue.postgresql.consumer_concurrency',
  'cache.engine': 'cache.storage_type',
  'clickhouse_analytics.export_http_headers': 'clickhouse_analytics.export.connections.http_headers',
  'clickhouse_analytics.export_grpc_metadata': 'clickhouse_analytics.export.connections.grpc_metadata',
}

/**
 * Finds the name that an option of Centrifugo v4 or v5 has since v6; undefined if the option is none of them.
 * @param path the path in the configuration, separated by points, or the flat name of an environment variable
 * @param flat all paths that are known today, by their flat names (with underscores in place of points)
 */
export function findRenamed(path: string, flat: ReadonlyMap<string, string>): string | undefined {
  const flatName = flatten(path)
  const exception = Object.entries(RENAMED).find(([old]) => flatten(old) === flatName)
  if (exception) return exception[1]
  const name = modernize(flatName)
  const candidates = [
    name,
    ...PREFIXES.filter(([old]) => name === old || name.startsWith(`${old}_`)).map(([old, section]) => {
      const rest = name.slice(old.length + 1)
      return `${flatten(section)}_${rest === '' ? 'enabled' : rest}`
    }),
    ...(path.includes('.') ? [] : SECTIONS.map((section) => `${flatten(section)}_${name}`)),
  ].flatMap((candidate) => [`${candidate}_enabled`, candidate])
  const found = candidates.find((candidate) => flat.has(candidate) && flat.get(candidate) !== path)
  return found === undefined ? undefined : flat.get(found)
}

function flatten(path: string): string {
  return path.replaceAll('.', '_')
}

/** Applies the changes that concern options of many sections. */
function modernize(name: string): string {
  return name
    .replace(/tls_(key|cert)$/, 'tls_$1_pem')
    .replace(/tls_root_ca(_pem)?$/, 'tls_server_ca_pem')
    .replace(/tls_client_ca$/, 'tls_client_ca_pem')
    .replace(/_disable$/, '_disabled')
    .replace(/_analytics_export_([a-z]+)$/, '_analytics_export_$1_enabled')
    .replace(/_analytics_(connections|subscriptions|operations|publications|notifications)_/, '_analytics_export_$1_')
}
