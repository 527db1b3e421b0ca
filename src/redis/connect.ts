// Opens connections to Redis: to one server, to a primary behind Sentinels, or to a Cluster.
import type { ConnectionOptions } from 'node:tls'
import { Cluster, Redis, ReplyError } from 'ioredis'
import { readClientTls } from '../config/client-tls.ts'
import type { RedisOptions } from '../config/redis.ts'
import { type RedisTarget, readRedisTarget } from '../config/redis-address.ts'
import type { Logger } from '../observability/log.ts'
import { withDeadline } from '../timing/deadline.ts'
import { RedisConnectError } from './connect-error.ts'

/** A connection to one Redis server, to a primary behind Sentinels, or to a Cluster. */
export type RedisClient = Redis | Cluster

/** The longest pause between two attempts to connect, in ms. */
const MAX_RECONNECT_DELAY_MS = 1000
const OPTION = 'push_notifications.queue.redis'
/** Errors of the client that have another error as their cause, which is in one of these events. */
const GENERIC =
  /^(Connection is closed|All sentinels are unreachable|Failed to refresh slots|failed to connect to sentinel)/
const ERROR_EVENTS = ['error', 'node error', 'sentinelError']

/**
 * Opens a connection that reconnects by itself. While it is disconnected, commands fail at once. A command also fails
 * if its reply takes longer than `io_timeout`. It may have run nevertheless, so callers repeat only commands that may
 * run twice.
 * @throws ConfigError for a certificate, RedisConnectError if the first attempt to connect fails
 */
export async function connectRedis(options: RedisOptions, logger: Logger): Promise<RedisClient> {
  const target = readRedisTarget(options)
  const client = makeClient(target)
  let cause: Error | undefined
  const onError = (error: Error) => {
    if (!GENERIC.test(error.message)) cause = error
  }
  // Without a listener, ioredis prints each connection error. Commands that fail during a disconnection are logged by
  // their callers.
  client.on('error', (error: Error) => logger.debug({ err: error }, 'redis: connection failed, retrying'))
  for (const event of ERROR_EVENTS) client.on(event, onError)
  try {
    // Behind Sentinels the client tries for ever.
    const { connect_timeout, io_timeout } = target.options
    await withDeadline(client.connect(), connect_timeout + io_timeout)
    await client.ping()
    // For a database that does not exist, the client goes on with another one.
    if (cause instanceof ReplyError && target.kind !== 'cluster') throw cause
    return client
  } catch (error) {
    client.disconnect()
    throw new RedisConnectError(OPTION, cause ?? (await findCause(target)) ?? error)
  } finally {
    for (const event of ERROR_EVENTS) client.off(event, onError)
  }
}

/**
 * Connects to the first Sentinel alone, or to the first node of a Cluster. Resolves to the error of this connection,
 * which the client for all of them hides; undefined if there is none.
 */
async function findCause({ kind, nodes, options }: RedisTarget): Promise<Error | undefined> {
  if (kind === 'server') return undefined
  const { sentinel_user: user, sentinel_password: password, sentinel_tls } = options
  const own = kind === 'cluster' ? options : { ...options, user, password, tls: sentinel_tls }
  const client = new Redis({ ...makeCommonOptions(own), ...nodes[0], lazyConnect: true, retryStrategy: () => null })
  let cause: Error | undefined
  client.on('error', (error: Error) => {
    cause ??= error
  })
  await client.connect().catch(() => undefined)
  client.disconnect()
  return cause
}

function makeClient({ kind, nodes, options }: RedisTarget): RedisClient {
  const common = makeCommonOptions(options)
  const hosts = nodes.flatMap((node) => ('host' in node ? [node] : []))
  if (kind === 'cluster') {
    return new Cluster(hosts, {
      lazyConnect: true,
      enableOfflineQueue: false,
      clusterRetryStrategy: reconnectDelay,
      // SSUBSCRIBE goes to the servers with the slots of the channels. Without channels this opens no connection.
      shardedSubscribers: true,
      redisOptions: common,
    })
  }
  const own = { ...common, lazyConnect: true, enableOfflineQueue: false, retryStrategy: reconnectDelay, db: options.db }
  if (kind === 'server') return new Redis({ ...own, ...nodes[0] })
  const sentinelTls = makeTls('sentinel_tls', options.sentinel_tls)
  return new Redis({
    ...own,
    sentinels: hosts,
    name: options.sentinel_master_name,
    ...(options.sentinel_user !== '' && { sentinelUsername: options.sentinel_user }),
    ...(options.sentinel_password !== '' && { sentinelPassword: options.sentinel_password }),
    ...(sentinelTls && { sentinelTLS: sentinelTls }),
    enableTLSForSentinelMode: options.tls.enabled,
  })
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

/** @param name the name of the section in `push_notifications.queue.redis` */
function makeTls(name: 'tls' | 'sentinel_tls', tls: RedisOptions['tls']): ConnectionOptions | undefined {
  return tls.enabled ? readClientTls(`${OPTION}.${name}`, tls) : undefined
}

function reconnectDelay(attempt: number): number {
  return Math.min(attempt * 50, MAX_RECONNECT_DELAY_MS)
}
