// Builds all objects, connects them, and registers how they are stopped. Only this file and assemble/ import the
// concrete classes.
import { availableParallelism } from 'node:os'
import { buildParts } from './assemble/build-parts.ts'
import { configureApi } from './assemble/configure-api.ts'
import { countReports } from './assemble/count-reports.ts'
import { makeClientCalls, makeClientEndpoints } from './assemble/make-client-calls.ts'
import { startUpkeepOf } from './assemble/make-devices.ts'
import { makeMethods } from './assemble/make-methods.ts'
import { makeUpstream } from './assemble/make-upstream.ts'
import { type Databases, openDatabases } from './assemble/open-databases.ts'
import type { Plan } from './assemble/plan.ts'
import { countInMetrics } from './assemble/send-counts.ts'
import { shareBuffers } from './assemble/share-buffers.ts'
import { startAnalytics } from './assemble/start-analytics.ts'
import { startLargeRequests } from './assemble/start-large-requests.ts'
import { startWorkerProcesses } from './assemble/start-worker-processes.ts'
import { startWorkers } from './assemble/start-workers.ts'
import { makeLoggerOfStores, watchStores } from './assemble/watch-stores.ts'
import { loadOrMakeApiKey } from './config/api-key.ts'
import { chooseQueue } from './config/check.ts'
import type { Role } from './config/role.ts'
import type { Config } from './config/schema.ts'
import { findLostSettings } from './database/pooler.ts'
import { type MethodTable, makeMethodTable } from './methods/table.ts'
import type { Logger } from './observability/log.ts'
import { addQueueGauges, type Metrics, makeMetrics } from './observability/metrics.ts'
import { describeHealth, mergeHealth, type ProviderHealth } from './observability/provider-health.ts'
import { FULL_DUTY } from './queue/lane.ts'
import type { ClientCalls } from './realtime/client-calls.ts'
import type { ApiDeps } from './server/api-deps.ts'
import { makeKeyCheck } from './server/api-key.ts'
import type { LargeRequests } from './server/large-requests.ts'
import { planPorts } from './server/plan-ports.ts'
import { startServer } from './server/start-server.ts'
import { makeShutdownPhases, type OnStop } from './shutdown-phases.ts'
import type { NodeApi } from './upstream/node-api.ts'

interface ServerPlan extends Plan {
  role: Role
}

/** A running server. */
export interface Assembly {
  /** Base URLs, the external port's first. */
  urls: string[]
  /** The generated API key; undefined when the configuration has a key or needs none. */
  madeKey: string | undefined
  /** Accepts no more work, finishes work in flight within `graceMs`, then closes all parts. Never rejects. */
  stop(graceMs: number): Promise<void>
}

/** Builds and starts a server. After an error all parts are stopped. @throws ConfigError, UserError */
export async function assemble(plan: ServerPlan): Promise<Assembly> {
  const { onStop, stop } = makeShutdownPhases(plan.logger)
  try {
    return { ...(await build(plan, onStop)), stop }
  } catch (error) {
    await stop(0)
    throw error
  }
}

async function build(plan: ServerPlan, onStop: OnStop): Promise<Omit<Assembly, 'stop'>> {
  const { config, role, logger } = plan
  const metrics = makeMetrics()
  const upstream = config.upstream && makeUpstream(config, config.upstream, logger)
  if (upstream) onStop.close('upstream', () => upstream.close())
  const { methods, large, clientCalls, isReady, readHealth, readMetrics, callLogger } = config.push_notifications
    .enabled
    ? await buildPush(plan, metrics, upstream?.api, onStop)
    : {
        methods: makeMethodTable(undefined),
        large: undefined,
        clientCalls: undefined,
        isReady: () => true,
        readHealth: () => ({ down: [], credentials: {} }),
        readMetrics: () => metrics.registry.metrics(),
        callLogger: logger,
      }
  const isApi = role !== 'worker' && !config.http_api.disabled
  const { key, madeKey } = chooseKey(config, isApi)
  const api: ApiDeps = {
    methods,
    upstream: upstream?.api,
    hasKey: config.http_api.insecure ? () => true : makeKeyCheck(key),
    ...configureApi(config),
    large,
    inTurn: (handle) => handle(),
    logger,
    callLogger,
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
      health: config.health.enabled
        ? { isReady, describe: () => describeHealth(readHealth()), prefix: trimSlash(config.health.handler_prefix) }
        : undefined,
      ...(role !== 'worker' &&
        clientCalls &&
        makeClientEndpoints(config, clientCalls, { metrics, logger: callLogger })),
      connections: role === 'worker' ? undefined : upstream?.clients,
      admin: role === 'worker' ? undefined : upstream?.clients,
    }),
  )
  onStop.drain('server', (graceMs) => server.close(graceMs, config.shutdown.drain))
  return { urls: server.urls, madeKey }
}

interface Push {
  methods: MethodTable
  /** The process for large requests; undefined without the API. */
  large: LargeRequests | undefined
  /** The methods that clients call. */
  clientCalls: ClientCalls
  /** The metrics of all processes in the text format of Prometheus. */
  readMetrics(): Promise<string>
  /** False while a store is down, or while the queue refuses the claims of the workers. */
  isReady(): boolean
  /** The state of the providers for the workers. */
  readHealth(): ProviderHealth
  callLogger: ApiDeps['callLogger']
}

/** Builds devices and queue and, except for the role `api`, starts workers in this process or in worker processes. */
async function buildPush(plan: ServerPlan, metrics: Metrics, node: NodeApi | undefined, onStop: OnStop): Promise<Push> {
  const { config, role, logger } = plan
  const databases = await openDatabases(plan, onStop)
  const stores = await watchStores(plan, databases, onStop)
  const storePlan = { config, logger: makeLoggerOfStores(plan, stores.onOutage) }
  const counts = countInMetrics(metrics)
  const parts = await buildParts(storePlan, databases, onStop)
  const { queue, devices } = parts
  if (databases.sql && devices) startUpkeepOf(storePlan, devices, databases, onStop)
  await warnOfPooler(databases, logger)
  for (const risk of await queue.findRisks()) logger.warn({ risk }, 'queue: accepted sends can be lost')
  addQueueGauges(metrics.registry, chooseQueue(config), () => queue.stats().catch(() => undefined))
  const { registry } = metrics
  const count = role === 'api' ? 0 : (config.worker.processes ?? chooseProcesses(availableParallelism()))
  const shared = { ...plan, config: shareBuffers(config, count) }
  const started = await startAnalytics(shared, databases, { registry, checksServers: true }, onStop)
  const analytics = countReports(started, storePlan, parts, onStop)
  const methods = makeMethods(storePlan, parts, analytics, node, counts)
  const large = role === 'worker' ? undefined : startLargeRequests(plan, databases.dsn, counts, stores.onOutage, onStop)
  const own = {
    methods,
    large,
    clientCalls: makeClientCalls(config, parts, analytics?.reports),
    callLogger: storePlan.logger,
    readHealth: parts.readHealth,
    readMetrics: () => metrics.registry.metrics(),
  }
  if (role === 'api') return { ...own, isReady: stores.isUp }
  const recorder = analytics?.recorder
  const workers =
    count === 1
      ? {
          isReady: startWorkers({ plan: storePlan, duty: FULL_DUTY, metrics, recorder, ...parts }, onStop),
          readHealth: parts.readHealth,
        }
      : startWorkerProcesses(shared, databases.dsn, count, metrics, stores.onOutage, onStop)
  return {
    ...own,
    ...workers,
    isReady: () => stores.isUp() && workers.isReady(),
    readHealth: () => mergeHealth([parts.readHealth(), workers.readHealth()]),
  }
}

/** Warns if a pooler ignores settings of the pools. */
async function warnOfPooler({ sql, queueSql }: Databases, logger: Logger): Promise<void> {
  for (const pool of new Set([sql, queueSql])) {
    const settings = pool ? await findLostSettings(pool) : []
    if (settings.length > 0) {
      logger.warn({ settings }, 'database: a pooler ignores these settings; set them with ALTER ROLE')
    }
  }
}

/** Two processes more than cores: while some wait for a provider or for the queue, the others use the cores. */
function chooseProcesses(cores: number): number {
  return cores === 1 ? 1 : cores + 2
}

function chooseKey({ http_api: api, data_dir }: Config, isApi: boolean): { key: string; madeKey: string | undefined } {
  if (api.key !== undefined || api.insecure || !isApi) return { key: api.key ?? '', madeKey: undefined }
  const madeKey = loadOrMakeApiKey(data_dir)
  return { key: madeKey, madeKey }
}

function trimSlash(prefix: string): string {
  return prefix.replace(/\/+$/, '')
}
