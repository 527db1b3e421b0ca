// The one place that knows every concrete class: it builds the objects, passes them in, and says how they are stopped.
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { AggregatorRegistry } from 'prom-client'
import { deleteOldNotifications, makePostgresAnalytics } from './analytics/postgres.ts'
import { loadOrMakeApiKey } from './config/api-key.ts'
import { chooseQueue, chooseRedis, hasCredentials } from './config/check.ts'
import { ConfigError } from './config/config-error.ts'
import { PROVIDER_NAMES, type ProviderName } from './config/provider-names.ts'
import type { Role } from './config/role.ts'
import type { Config } from './config/schema.ts'
import { readDatabaseError } from './database/database-error.ts'
import { startEmbeddedPostgres } from './database/embedded.ts'
import { checkSchema, migrate } from './database/migrate.ts'
import { openDatabase, type Sql } from './database/pool.ts'
import { Replicas } from './database/replicas.ts'
import { startUpkeep, type UpkeepTask } from './database/upkeep.ts'
import { RemovalBreaker } from './delivery/removal-breaker.ts'
import { Worker } from './delivery/worker.ts'
import { ANSWER_TIMEOUT_MS, DeviceStore } from './devices/device-store.ts'
import { makeEndpointCheck } from './devices/web-push-endpoint.ts'
import { trustedAuthorities } from './http2/trusted-authorities.ts'
import { type MethodTable, makeMethodTable } from './methods/table.ts'
import type { Logger } from './observability/log.ts'
import { addQueueGauges, type Metrics, makeMetrics } from './observability/metrics.ts'
import { WorkerProcesses } from './processes/worker-processes.ts'
import { ApnsProvider } from './providers/apns/apns.ts'
import { loadApnsCredential } from './providers/apns/load-credential.ts'
import type { CredentialCache } from './providers/credential-cache.ts'
import { PostgresCredentialCache } from './providers/credential-cache-postgres.ts'
import { RedisCredentialCache } from './providers/credential-cache-redis.ts'
import { FcmProvider } from './providers/fcm/fcm.ts'
import { loadServiceAccount } from './providers/fcm/service-account.ts'
import { HmsProvider } from './providers/hms/hms.ts'
import type { Provider } from './providers/provider.ts'
import { SandboxProvider } from './providers/sandbox/sandbox.ts'
import { makeAddressPolicy } from './providers/webpush/address-policy.ts'
import { readVapidKeys, type VapidKeys, VapidKeysError } from './providers/webpush/vapid-keys.ts'
import { WebPushProvider } from './providers/webpush/webpush.ts'
import { cancelSend } from './push/cancel.ts'
import { FanOut } from './push/fan-out.ts'
import { PageReader } from './push/pages.ts'
import { PostgresQueue } from './queue/postgres/postgres-queue.ts'
import type { Queue } from './queue/queue.ts'
import { connectRedis } from './queue/redis/connect.ts'
import { RedisQueue } from './queue/redis/redis-queue.ts'
import { answerText, answerTooLarge } from './server/answer.ts'
import type { ApiDeps } from './server/api-deps.ts'
import { makeKeyCheck } from './server/api-key.ts'
import { planPorts } from './server/plan-ports.ts'
import { startServer } from './server/start-server.ts'
import { makeTeardowns, type OnStop } from './teardowns.ts'
import { BodyTooLargeError } from './upstream/relay.ts'
import { Upstream } from './upstream/upstream.ts'

interface Plan {
  config: Config
  role: Role
  logger: Logger
}

/** Of a database without a section of its own. */
const MAX_CONNECTIONS = 20

export interface Assembly {
  /** Base URLs, the external port's first. */
  urls: string[]
  /** The API key that was made here; undefined when the configuration has one, or none is asked for. */
  madeKey: string | undefined
  /** Stops accepting, lets what is in flight finish within `graceMs`, then stops everything. Never rejects. */
  stop(graceMs: number): Promise<void>
}

/** Builds and starts a server. @throws ConfigError, and what a database that isn't there throws; nothing runs then */
export async function assemble(plan: Plan): Promise<Assembly> {
  const { onStop, stop } = makeTeardowns(plan.logger)
  try {
    return { ...(await build(plan, onStop)), stop }
  } catch (error) {
    await stop(0)
    throw error
  }
}

async function build(plan: Plan, onStop: OnStop): Promise<Omit<Assembly, 'stop'>> {
  const { config, role, logger } = plan
  const metrics = makeMetrics()
  const { methods, isReady, readMetrics } = config.push_notifications.enabled
    ? await buildPush(plan, metrics, onStop)
    : { methods: makeMethodTable(undefined), isReady: () => true, readMetrics: () => metrics.registry.metrics() }
  const upstream = config.upstream && makeUpstream(config, config.upstream, logger)
  if (upstream) onStop.close('upstream', () => upstream.close())
  const isApi = role !== 'worker' && !config.http_api.disabled
  const { key, madeKey } = chooseKey(config, isApi)
  const api: ApiDeps = {
    methods,
    upstream,
    hasKey: config.http_api.insecure ? () => true : makeKeyCheck(key),
    transportErrors: config.http_api.error_mode === 'transport',
    maxRequestBytes: config.http_api.max_request_body_size,
    logger,
  }
  const server = await startServer(
    planPorts(config.http_server, config.http_api.external, madeKey !== undefined, {
      api: isApi ? { deps: api, prefix: trimSlash(config.http_api.handler_prefix) } : undefined,
      metrics: config.prometheus.enabled
        ? {
            read: readMetrics,
            contentType: metrics.registry.contentType,
            prefix: trimSlash(config.prometheus.handler_prefix),
          }
        : undefined,
      health: config.health.enabled ? { isReady, prefix: trimSlash(config.health.handler_prefix) } : undefined,
      connections: role === 'worker' ? undefined : upstream,
    }),
  )
  onStop.drain('server', (graceMs) => server.close(graceMs))
  return { urls: server.urls, madeKey }
}

interface Push {
  methods: MethodTable
  /** In Prometheus' text format, those of all processes together. */
  readMetrics(): Promise<string>
  /** False while the workers can't reach their queue. */
  isReady(): boolean
}

/** Devices, queue, and unless this is an API alone the workers: in this process, or in several of their own. */
async function buildPush(plan: Plan, metrics: Metrics, onStop: OnStop): Promise<Push> {
  const { config, role, logger } = plan
  const databases = await openDatabases(plan, onStop)
  const parts = await buildParts(plan, databases, metrics, onStop)
  const { queue, pages, devices, providers } = parts
  if (databases.sql && devices) startUpkeepOf(plan, devices, databases.sql, onStop)
  for (const risk of await queue.findRisks()) logger.warn({ risk }, 'queue: what was accepted can be lost')
  addQueueGauges(metrics.registry, chooseQueue(config), () => queue.stats().catch(() => undefined))
  const checkEndpoint = makeEndpointCheck(config.push_notifications.webpush)
  const methods = makeMethodTable({
    accept: {
      queue,
      pages,
      hasDevices: devices !== undefined,
      providers: new Set(providers.keys()),
      checkEndpoint,
      onScheduled: () => metrics.scheduled.inc(),
    },
    cancel: (request) => cancelSend(queue, request),
    devices,
    checkEndpoint,
    analytics: databases.sql && makePostgresAnalytics(databases.sql),
  })
  const own = { methods, readMetrics: () => metrics.registry.metrics() }
  if (role === 'api') return { ...own, isReady: () => true }
  const count = config.worker.processes ?? availableParallelism()
  if (count === 1) return { ...own, isReady: startWorkers({ plan, metrics, ...parts }, onStop) }
  return { methods, ...startWorkerProcesses(plan, databases.dsn, count, metrics, onStop) }
}

function startWorkerProcesses(
  { config, logger }: Plan,
  dsn: string | undefined,
  count: number,
  { registry }: Metrics,
  onStop: OnStop,
): Omit<Push, 'methods'> {
  const processes = new WorkerProcesses({ config: planWorkerProcess(config, dsn, count), count, logger })
  onStop.drain('worker processes', (graceMs) => processes.stop(graceMs))
  processes.start()
  return {
    isReady: () => processes.isReady,
    readMetrics: async () =>
      AggregatorRegistry.aggregate([await registry.getMetricsAsJSON(), ...(await processes.readMetrics())]).metrics(),
  }
}

/** Connections of a worker process that has few of them: what it does at once, and one for LISTEN. */
const MIN_CONNECTIONS = 5

/** The configuration of one of `count` worker processes; together they open as many connections as one would. */
function planWorkerProcess(config: Config, dsn: string | undefined, count: number): Config {
  const { database } = config
  const postgresql = database?.postgresql
  const max_connections = Math.max(MIN_CONNECTIONS, Math.ceil((postgresql?.max_connections ?? MAX_CONNECTIONS) / count))
  return {
    ...config,
    database: {
      enabled: database?.enabled ?? true,
      postgresql: {
        replica_dsn: [],
        ...postgresql,
        ...(dsn !== undefined && { dsn }),
        max_connections,
        migrate: false,
      },
    },
  }
}

export interface WorkerAssembly {
  /** Whether it reaches its queue. */
  isReady(): boolean
  /** As prom-client's `getMetricsAsJSON` has them. */
  readMetrics(): Promise<object[]>
  /** Lets what it sends finish within `graceMs`. Never rejects. */
  stop(graceMs: number): Promise<void>
}

/** What a worker process is made of: no API, no upkeep. @throws as assemble() does */
export async function assembleWorker(plan: Omit<Plan, 'role'>): Promise<WorkerAssembly> {
  const { onStop, stop } = makeTeardowns(plan.logger)
  try {
    const metrics = makeMetrics()
    const parts = await buildParts(plan, await openDatabases(plan, onStop), metrics, onStop)
    const isReady = startWorkers({ plan, metrics, ...parts }, onStop)
    return { isReady, readMetrics: () => metrics.registry.getMetricsAsJSON(), stop }
  } catch (error) {
    await stop(0)
    throw error
  }
}

/** What both sides of the queue stand on. */
async function buildParts(plan: Omit<Plan, 'role'>, { sql, queueSql }: Databases, metrics: Metrics, onStop: OnStop) {
  const { config } = plan
  const devices = sql && makeDevices(plan, sql, onStop)
  const queue = await makeQueue(plan, queueSql, onStop)
  const providers = await makeProviders(plan, queueSql, onStop)
  onStop.close('providers', async () => {
    await Promise.all([...providers.values()].map((provider) => provider.close()))
  })
  const batchSizes = new Map(
    [...providers.keys()].map((name) => [name, config.push_notifications[name].tokens_batch_size]),
  )
  const pages = new PageReader({
    pageTargets: devices && ((...args) => devices.pageTargets(...args)),
    batchSizes,
    onSkipped: (provider, count) => metrics.skipped.inc({ provider }, count),
  })
  return { devices, queue, providers, batchSizes, pages }
}

/** The queue alone, for commands that look at it. @throws ConfigError */
export async function assembleQueue(plan: Omit<Plan, 'role'>): Promise<{ queue: Queue; stop(): Promise<void> }> {
  const { onStop, stop } = makeTeardowns(plan.logger)
  try {
    const { queueSql } = await openDatabases(plan, onStop)
    return { queue: await makeQueue(plan, queueSql, onStop), stop: () => stop(0) }
  } catch (error) {
    await stop(0)
    throw error
  }
}

async function makeQueue(plan: Omit<Plan, 'role'>, sql: Sql | undefined, onStop: OnStop): Promise<Queue> {
  const queue = chooseQueue(plan.config) === 'redis' ? await makeRedisQueue(plan) : makePostgresQueue(plan, sql)
  onStop.close('queue', () => queue.close())
  return queue
}

function makePostgresQueue({ config, logger }: Omit<Plan, 'role'>, sql: Sql | undefined): Queue {
  if (!sql) throw new Error('the configuration was checked to have a database for the queue')
  const maxJobs = config.push_notifications.queue.postgresql.max_stream_length
  return new PostgresQueue({ sql, logger, leaseMs: config.worker.lease, maxJobs })
}

async function makeRedisQueue({ config, logger }: Omit<Plan, 'role'>): Promise<Queue> {
  const redis = chooseRedis(config)
  const client = await connectRedis(redis, logger)
  return new RedisQueue({
    client,
    subscriber: await connectRedis(redis, logger),
    prefix: redis.prefix,
    logger,
    leaseMs: config.worker.lease,
    maxJobs: config.push_notifications.queue.redis?.max_stream_length ?? Number.POSITIVE_INFINITY,
  })
}

interface WorkerParts {
  plan: Omit<Plan, 'role'>
  metrics: Metrics
  queue: Queue
  pages: PageReader
  devices: DeviceStore | undefined
  providers: ReadonlyMap<ProviderName, Provider>
  batchSizes: ReadonlyMap<ProviderName, number>
}

/** @returns whether they reach their queue */
function startWorkers(parts: WorkerParts, onStop: OnStop): () => boolean {
  const { queue, pages, devices, providers, metrics } = parts
  const { config, logger } = parts.plan
  const worker = new Worker({
    queue,
    providers,
    removeGone: async (...args) => devices?.removeGone(...args) ?? 0,
    removalBreaker: config.worker.removal_breaker ? makeRemovalBreaker(metrics, logger) : undefined,
    retryPolicy: { scale: config.worker.retry_scale, random: Math.random },
    metrics,
    logger,
    now: Date.now,
    maxBatchTargets: Math.max(...parts.batchSizes.values(), 1),
    concurrency: (config.push_notifications.queue[chooseQueue(config)] ?? { consumer_concurrency: 64 })
      .consumer_concurrency,
    heartbeatMs: config.worker.heartbeat,
  })
  const fanOut = new FanOut({ queue, pages, logger, heartbeatMs: config.worker.heartbeat })
  worker.start()
  fanOut.start()
  onStop.drain('worker', (graceMs) => worker.stop(graceMs))
  onStop.drain('fan-out', () => fanOut.stop())
  return () => worker.isReady
}

function makeRemovalBreaker({ removalStopped }: Metrics, logger: Logger): RemovalBreaker {
  return new RemovalBreaker({
    onChange: (provider, isOpen) => {
      removalStopped.set({ provider }, isOpen ? 1 : 0)
      if (!isOpen) logger.warn({ provider }, 'delivery: devices with dead tokens are removed again')
      else {
        logger.error(
          { provider },
          'delivery: most tokens are called dead, so no devices are removed; check the credentials, or if it is right ' +
            'set worker.removal_breaker to false',
        )
      }
    },
  })
}

interface Databases {
  /** The devices'; undefined where `database.enabled` is false. */
  sql: Sql | undefined
  dsn: string | undefined
  /** The queue's, which is the same unless it has a DSN; undefined where it is on Redis. */
  queueSql: Sql | undefined
}

async function openDatabases({ config, logger }: Omit<Plan, 'role'>, onStop: OnStop): Promise<Databases> {
  const { dsn: queueDsn, reuse_from_database: isReused } = config.push_notifications.queue.postgresql
  const migrates = config.database?.postgresql.migrate ?? true
  const open = async (dsn: string): Promise<Sql> => {
    const sql = openDatabase({ dsn, maxConnections: config.database?.postgresql.max_connections ?? MAX_CONNECTIONS })
    onStop.close('database', () => sql.end({ timeout: 5 }))
    await (migrates ? migrate(sql, logger) : checkSchema(sql)).catch(explainDatabaseError)
    return sql
  }
  const dsn = config.database?.enabled === false ? undefined : await chooseDsn(config, logger, onStop)
  const sql = dsn === undefined ? undefined : await open(dsn)
  if (chooseQueue(config) === 'redis') return { sql, dsn, queueSql: undefined }
  return { sql, dsn, queueSql: queueDsn !== undefined && !isReused ? await open(queueDsn) : sql }
}

/** A database that can't be reached or refuses us is the configuration's matter, not ours. */
function explainDatabaseError(error: unknown): never {
  const known = readDatabaseError(error)
  throw known ? new ConfigError(`the database can't be used: ${known.message} (${known.code})`) : error
}

function makeDevices({ config, logger }: Omit<Plan, 'role'>, sql: Sql, onStop: OnStop): DeviceStore {
  const readsReplicas = config.push_notifications.read_from_replica
  const replicas = readsReplicas ? openReplicas({ config, logger }, sql, onStop) : undefined
  return new DeviceStore({ sql, now: Date.now, replicas })
}

/** What removes old devices and old notifications, now and then. */
function startUpkeepOf({ config, logger }: Plan, devices: DeviceStore, sql: Sql, onStop: OnStop): void {
  const maxAgeMs = config.push_notifications.max_inactive_device_interval
  const removeInactive: UpkeepTask = async (signal) => {
    const count = await devices.removeInactive(maxAgeMs, signal)
    if (count > 0) logger.info({ count }, 'devices: inactive ones removed')
  }
  const upkeep = startUpkeep(
    [() => devices.cleanUp(), ...(maxAgeMs > 0 ? [removeInactive] : []), () => deleteOldNotifications(sql)],
    logger,
  )
  onStop.close('upkeep', () => upkeep.stop())
}

function openReplicas({ config, logger }: Pick<Plan, 'config' | 'logger'>, primary: Sql, onStop: OnStop): Replicas {
  const { replica_dsn: dsns = [], max_connections: maxConnections = MAX_CONNECTIONS } =
    config.database?.postgresql ?? {}
  const replicas = dsns.map((dsn) => openDatabase({ dsn, maxConnections }))
  for (const replica of replicas) onStop.close('replica', () => replica.end({ timeout: 5 }))
  return new Replicas({ primary, replicas, answerTimeoutMs: ANSWER_TIMEOUT_MS, logger, now: Date.now })
}

async function chooseDsn(config: Config, logger: Logger, onStop: OnStop): Promise<string> {
  const dsn = config.database?.postgresql.dsn
  if (dsn !== undefined) return dsn
  const embedded = await startEmbeddedPostgres({ dataDir: config.data_dir, logger })
  onStop.close('embedded database', () => embedded.stop())
  return embedded.dsn
}

async function makeProviders(
  plan: Omit<Plan, 'role'>,
  queueSql: Sql | undefined,
  onStop: OnStop,
): Promise<Map<ProviderName, Provider>> {
  const { config, logger } = plan
  const { enabled_providers: enabled = PROVIDER_NAMES, dry_run: isDryRun } = config.push_notifications
  const providers = new Map<ProviderName, Provider>()
  for (const name of enabled) {
    if (isDryRun || !hasCredentials(config, name)) providers.set(name, new SandboxProvider({ name, logger }))
    else if (name === 'fcm') providers.set(name, await makeFcm(config, logger))
    else if (name === 'apns') providers.set(name, await makeApns(plan, queueSql, onStop))
    else if (name === 'hms') providers.set(name, makeHms(config, logger))
    else providers.set(name, makeWebPush(config, logger))
  }
  return providers
}

async function makeFcm(config: Config, logger: Logger): Promise<Provider> {
  const { credentials_file: file = '', push_endpoint, auth_endpoint, ca_file } = config.push_notifications.fcm
  return new FcmProvider({
    serviceAccount: await loadServiceAccount(file),
    pushEndpoint: push_endpoint,
    authEndpoint: auth_endpoint,
    ca: readCa('push_notifications.fcm.ca_file', ca_file),
    logger,
  })
}

async function makeApns(
  { config, logger }: Omit<Plan, 'role'>,
  queueSql: Sql | undefined,
  onStop: OnStop,
): Promise<Provider> {
  const { endpoint, bundle_id: bundleId = '', ca_file } = config.push_notifications.apns
  const credential = loadApnsCredential(config.push_notifications.apns)
  return new ApnsProvider({
    endpoint,
    bundleId,
    auth:
      credential.kind === 'token'
        ? { ...credential, cache: await makeCredentialCache({ config, logger }, queueSql, onStop) }
        : credential,
    ca: readCa('push_notifications.apns.ca_file', ca_file),
    logger,
  })
}

/** In the store of the queue, which all workers have in common. */
async function makeCredentialCache(
  { config, logger }: Omit<Plan, 'role'>,
  queueSql: Sql | undefined,
  onStop: OnStop,
): Promise<CredentialCache> {
  if (queueSql) return new PostgresCredentialCache({ sql: queueSql })
  const options = chooseRedis(config)
  const redis = await connectRedis(options, logger)
  onStop.close('credential cache', async () => redis.disconnect())
  return new RedisCredentialCache({ redis, prefix: options.prefix })
}

function makeHms(config: Config, logger: Logger): Provider {
  const {
    app_id: appId = '',
    app_secret: appSecret = '',
    push_endpoint,
    auth_endpoint,
    ca_file,
  } = config.push_notifications.hms
  return new HmsProvider({
    appId,
    appSecret,
    pushEndpoint: push_endpoint,
    authEndpoint: auth_endpoint,
    ca: readCa('push_notifications.hms.ca_file', ca_file),
    logger,
  })
}

function makeWebPush({ push_notifications: { webpush } }: Config, logger: Logger): Provider {
  const { private_endpoint_networks: networks, subject = '', ca_file } = webpush
  if (networks.length > 0) logger.warn({ networks }, 'webpush: these private networks may be connected to')
  return new WebPushProvider({
    keys: loadVapidKeys(webpush.vapid_public_key ?? '', webpush.vapid_private_key ?? ''),
    subject,
    isAddressAllowed: makeAddressPolicy(networks),
    checkEndpoint: makeEndpointCheck(webpush),
    ca: readCa('push_notifications.webpush.ca_file', ca_file),
    logger,
  })
}

function loadVapidKeys(publicKey: string, privateKey: string): VapidKeys {
  try {
    return readVapidKeys(publicKey, privateKey)
  } catch (error) {
    throw error instanceof VapidKeysError ? new ConfigError(`push_notifications.webpush.${error.message}`) : error
  }
}

function makeUpstream(config: Config, upstream: NonNullable<Config['upstream']>, logger: Logger): Upstream {
  return new Upstream({
    options: {
      address: upstream.address,
      apiKey: upstream.api_key,
      timeoutMs: upstream.timeout,
      connectTimeoutMs: upstream.connect_timeout,
      maxConnections: upstream.max_connections,
      ca: trustedAuthorities(readCa('upstream.ca_file', upstream.ca_file)),
      transportErrors: config.http_api.error_mode === 'transport',
      maxRequestBytes: config.http_api.max_request_body_size,
    },
    onFailure: (outgoing, error) => {
      if (error instanceof BodyTooLargeError) answerTooLarge(outgoing)
      else answerText(outgoing, 502, 'Bad Gateway')
    },
    logger,
  })
}

function readCa(option: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`${option}: can't be read (${error instanceof Error ? error.message : 'unknown'})`)
  }
}

function chooseKey({ http_api: api, data_dir }: Config, isApi: boolean): { key: string; madeKey: string | undefined } {
  if (api.key !== undefined || api.insecure || !isApi) return { key: api.key ?? '', madeKey: undefined }
  const madeKey = loadOrMakeApiKey(data_dir)
  return { key: madeKey, madeKey }
}

function trimSlash(prefix: string): string {
  return prefix.replace(/\/+$/, '')
}
