// Checks that concern several options: options that contradict each other or need another one.
import { adminProblems } from './check-admin.ts'
import { realtimeProblems } from './check-realtime.ts'
import { PROVIDER_NAMES, type ProviderName } from './provider-names.ts'
import type { RedisOptions } from './redis.ts'
import { RedisAddressError, readRedisTarget } from './redis-address.ts'
import type { Config } from './schema.ts'

type Credentials = [option: string, value: string | undefined][]

/** The options that hold a provider's credentials. */
function credentialsOf(config: Config, provider: ProviderName): Credentials {
  const { fcm, hms, apns, webpush } = config.push_notifications
  const apnsCert: Credentials = [['cert_p12_file (or cert_p12_b64)', apns.cert_p12_file ?? apns.cert_p12_b64]]
  const apnsToken: Credentials = [
    ['token_key_file (or token_key_pem)', apns.token_key_file ?? apns.token_key_pem],
    ['token_key_id', apns.token_key_id],
    ['token_team_id', apns.token_team_id],
  ]
  const needed: Record<ProviderName, Credentials> = {
    fcm: [['credentials_file', fcm.credentials_file ?? fcm.credentials_json ?? fcm.project_id]],
    hms: [
      ['app_id', hms.app_id],
      ['app_secret', hms.app_secret],
    ],
    apns: [
      ['bundle_id', apns.bundle_id],
      ['auth_type', apns.auth_type],
      ...(apns.auth_type === 'cert' ? apnsCert : apnsToken),
    ],
    webpush: [
      ['vapid_public_key', webpush.vapid_public_key],
      ['vapid_private_key', webpush.vapid_private_key],
      ['subject', webpush.subject],
    ],
  }
  return needed[provider]
}

/** Whether a provider has credentials. A valid configuration has all of a provider's credential options or none. */
export function hasCredentials(config: Config, provider: ProviderName): boolean {
  return credentialsOf(config, provider).every(([, value]) => value !== undefined)
}

/** Problems of a configuration in which every single option is valid, one text for each. */
export function findContradictions(config: Config): string[] {
  return [
    ...credentialProblems(config),
    ...tlsProblems(config),
    ...adminProblems(config),
    ...queueProblems(config),
    ...workerProblems(config),
    ...replicaProblems(config),
    ...clickhouseProblems(config),
    ...realtimeProblems(config),
  ]
}

/**
 * Problems of credentials. An incomplete set is an error: otherwise the provider would run as a sandbox, which hides
 * it.
 */
function credentialProblems(config: Config): string[] {
  const { enabled, enabled_providers: enabledProviders } = config.push_notifications
  if (!enabled) return []
  return (enabledProviders ?? PROVIDER_NAMES).flatMap((provider) => {
    const credentials = credentialsOf(config, provider)
    const missing = credentials.filter(([, value]) => value === undefined).map(([option]) => option)
    if (!enabledProviders && missing.length === credentials.length) return []
    const why = enabledProviders
      ? `because enabled_providers names ${provider}; leave enabled_providers out to try the sandbox`
      : `beside the other credentials of ${provider}`
    return missing.map((option) => `push_notifications.${provider}.${option}: is needed ${why}`)
  })
}

function tlsProblems({ http_server: server }: Config): string[] {
  const autocert = server.tls_autocert.enabled
    ? ['http_server.tls_autocert: is not supported; use http_server.tls with a certificate from your ACME client']
    : []
  const incomplete = (['tls', 'internal_tls'] as const)
    .filter((name) => server[name].enabled && (server[name].cert_pem === '' || server[name].key_pem === ''))
    .map((name) => `http_server.${name}: is enabled and needs cert_pem and key_pem`)
  return [...autocert, ...incomplete]
}

function queueProblems(config: Config): string[] {
  const { enabled, queue } = config.push_notifications
  if (!enabled) return []
  if (chooseQueue(config) === 'redis') return redisProblems(config)
  if (config.database?.enabled === false && queue.postgresql.dsn === undefined) {
    return ['push_notifications.queue.postgresql.dsn: is needed because database.enabled is false']
  }
  return []
}

function redisProblems(config: Config): string[] {
  const option = 'push_notifications.queue.redis'
  const { redis } = config.push_notifications.queue
  if (!redis) return [`${option}: is needed because queue.type is redis`]
  if (redis.reuse_from_engine && !config.engine?.redis) {
    return [`engine.redis: is needed because ${option}.reuse_from_engine is true`]
  }
  const { address } = chooseRedis(config)
  return [
    ...(address.length > 1 ? [`${option}.address: one is supported, found ${address.length}`] : []),
    ...targetProblems(option, chooseRedis(config)),
  ]
}

/** Problems of the addresses of Redis. @param option the section with them */
function targetProblems(option: string, redis: RedisOptions): string[] {
  try {
    const { kind, options } = readRedisTarget(redis)
    return [
      ...(kind === 'sentinel' && options.sentinel_master_name === ''
        ? [`${option}.sentinel_master_name: is needed with sentinel_address`]
        : []),
      ...(kind === 'cluster' && options.db !== 0 ? [`${option}.db: a Cluster has only 0`] : []),
    ]
  } catch (error) {
    if (error instanceof RedisAddressError) return [`${option}.address: ${error.message}`]
    throw error
  }
}

/** The store of the queue that a configuration selects. */
export function chooseQueue({ push_notifications: { queue } }: Config): 'redis' | 'postgresql' {
  return queue.type ?? (queue.redis ? 'redis' : 'postgresql')
}

/** The options of the Redis that holds the queue. Call it only if `chooseQueue` returns 'redis'. */
export function chooseRedis({ push_notifications: { queue }, engine }: Config): RedisOptions {
  const redis = queue.redis?.reuse_from_engine ? engine?.redis : queue.redis
  if (!redis) throw new Error('the configuration was checked to have a Redis for the queue')
  return redis
}

function replicaProblems({ push_notifications: push, database }: Config): string[] {
  if (!push.enabled || !push.read_from_replica || database?.postgresql.replica_dsn.length) return []
  return ['database.postgresql.replica_dsn: is needed because push_notifications.read_from_replica is true']
}

/** Whether rows about notifications are written to ClickHouse. */
export function usesClickhouse({ clickhouse_analytics: clickhouse, push_notifications: push }: Config): boolean {
  return push.enabled && clickhouse.enabled && clickhouse.export.notifications.enabled
}

function clickhouseProblems(config: Config): string[] {
  if (!usesClickhouse(config) || config.clickhouse_analytics.clickhouse_dsn.length > 0) return []
  return ['clickhouse_analytics.clickhouse_dsn: is needed because export.notifications.enabled is true']
}

/**
 * Problems of `worker`: a lease must last longer than one missed heartbeat, otherwise the claims of a running worker
 * end.
 */
function workerProblems({ worker }: Config): string[] {
  return worker.heartbeat * 2 > worker.lease
    ? [`worker.heartbeat: expected at most half of worker.lease but found ${worker.heartbeat}ms of ${worker.lease}ms`]
    : []
}
