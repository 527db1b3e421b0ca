// Opens connections to Redis: to one server, to a primary behind Sentinels, or to a Cluster.
import type { ConnectionOptions } from 'node:tls'
import { Cluster, Redis } from 'ioredis'
import { readClientTls } from '../config/client-tls.ts'
import { ConfigError } from '../config/config-error.ts'
import type { RedisOptions } from '../config/redis.ts'
import type { Logger } from '../observability/log.ts'

/** A connection to one Redis server, to a primary behind Sentinels, or to a Cluster. */
export type RedisClient = Redis | Cluster

/** The longest pause between two attempts to connect, in ms. */
const MAX_RECONNECT_DELAY_MS = 1000
const DEFAULT_PORT = 6379
const DEFAULT_SENTINEL_PORT = 26_379

/**
 * Opens a connection that reconnects by itself. While it is disconnected, commands fail at once. A command also fails
 * if its reply takes longer than `io_timeout`. It may have run nevertheless, so callers repeat only commands that may
 * run twice.
 * @throws ConfigError if the first attempt to connect fails
 */
export async function connectRedis(options: RedisOptions, logger: Logger): Promise<RedisClient> {
  const client = makeClient(options)
  // Without a listener, ioredis prints each connection error. Commands that fail during a disconnection are logged by
  // their callers.
  client.on('error', (error: Error) => logger.debug({ err: error }, 'redis: connection failed, retrying'))
  try {
    await client.connect()
    await client.ping()
    return client
  } catch (error) {
    client.disconnect()
    const why = error instanceof Error ? error.message : 'unknown'
    throw new ConfigError(`push_notifications.queue.redis: connection failed: ${why}`, { cause: error })
  }
}

function makeClient(options: RedisOptions): RedisClient {
  const common = makeCommonOptions(options)
  if (options.cluster_address.length > 0) {
    return new Cluster(splitAddresses(options.cluster_address).map(parseHost), {
      lazyConnect: true,
      enableOfflineQueue: false,
      clusterRetryStrategy: reconnectDelay,
      redisOptions: common,
    })
  }
  const own = { ...common, lazyConnect: true, enableOfflineQueue: false, retryStrategy: reconnectDelay }
  if (options.sentinel_address.length > 0) {
    const sentinelTls = makeTls('sentinel_tls', options.sentinel_tls)
    return new Redis({
      ...own,
      db: options.db,
      sentinels: splitAddresses(options.sentinel_address).map((address) => parseHost(address, DEFAULT_SENTINEL_PORT)),
      name: options.sentinel_master_name,
      ...(options.sentinel_user !== '' && { sentinelUsername: options.sentinel_user }),
      ...(options.sentinel_password !== '' && { sentinelPassword: options.sentinel_password }),
      ...(sentinelTls && { sentinelTLS: sentinelTls, enableTLSForSentinelMode: options.tls.enabled }),
    })
  }
  return new Redis({ ...own, ...parseAddress(options) })
}

function makeCommonOptions(options: RedisOptions) {
  const tls = makeTls('tls', options.tls)
  return {
    connectTimeout: options.connect_timeout,
    commandTimeout: options.io_timeout,
    // A connection on which no reply arrives for this long is closed, so that the next attempt opens a new one.
    socketTimeout: options.io_timeout * 2,
    maxRetriesPerRequest: 0,
    // READONLY means that the server was the primary before a failover: the connection is opened again, to the new
    // primary.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    ...(options.user !== '' && { username: options.user }),
    ...(options.password !== '' && { password: options.password }),
    ...(tls && { tls }),
  }
}

function parseAddress({ address: [address = ''], db }: RedisOptions) {
  if (!address.includes('://')) return { ...parseHost(address), db }
  const url = URL.parse(address)
  if (!url || !/^rediss?:$/.test(url.protocol)) {
    throw new ConfigError('push_notifications.queue.redis.address: expected host:port, redis:// or rediss://')
  }
  const path = url.pathname.slice(1)
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || DEFAULT_PORT),
    db: path === '' ? db : Number(path),
    ...(url.username !== '' && { username: decodeURIComponent(url.username) }),
    ...(url.password !== '' && { password: decodeURIComponent(url.password) }),
    ...(url.protocol === 'rediss:' && { tls: { servername: url.hostname } }),
  }
}

/**
 * Splits texts that contain several addresses, separated by commas: Centrifugo accepts this form for Cluster and
 * Sentinels.
 */
function splitAddresses(addresses: readonly string[]): string[] {
  return addresses.flatMap((address) => address.split(',')).filter(Boolean)
}

function parseHost(address: string, defaultPort = DEFAULT_PORT): { host: string; port: number } {
  const url = URL.parse(`redis://${address.replace(/^redis(s)?:\/\//, '')}`)
  if (!url?.hostname) throw new ConfigError('push_notifications.queue.redis: expected addresses of the form host:port')
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || defaultPort) }
}

/** @param name the name of the section in `push_notifications.queue.redis` */
function makeTls(name: 'tls' | 'sentinel_tls', tls: RedisOptions['tls']): ConnectionOptions | undefined {
  return tls.enabled ? readClientTls(`push_notifications.queue.redis.${name}`, tls) : undefined
}

function reconnectDelay(attempt: number): number {
  return Math.min(attempt * 50, MAX_RECONNECT_DELAY_MS)
}
