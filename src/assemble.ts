// Builds all objects, connects them, and registers how they are stopped. Only this file and assemble/ import the
// concrete classes.
import type { AdminSources } from './admin/admin-sources.ts'
import { addStoreGauges } from './assemble/add-store-gauges.ts'
import { AllMetrics } from './assemble/all-metrics.ts'
import { buildParts } from './assemble/build-parts.ts'
import { checkPoolers } from './assemble/check-poolers.ts'
import { chooseKey, makesKey } from './assemble/choose-key.ts'
import { configureApi } from './assemble/configure-api.ts'
import { countReports } from './assemble/count-reports.ts'
import { logParts } from './assemble/log-parts.ts'
import { makeAccept } from './assemble/make-accept.ts'
import { makeAdminSources } from './assemble/make-admin-sources.ts'
import { makeClientCalls, makeClientEndpoints } from './assemble/make-client-calls.ts'
import { startUpkeepOf } from './assemble/make-devices.ts'
import { makeMethods } from './assemble/make-methods.ts'
import { makeOverloadLimits } from './assemble/make-overload-limits.ts'
import { makeUpstream } from './assemble/make-upstream.ts'
import { openDatabases } from './assemble/open-databases.ts'
import type { Plan } from './assemble/plan.ts'
import { countInMetrics } from './assemble/send-counts.ts'
import { chooseApiProcesses, servePorts, trimSlash, trustApiProcesses } from './assemble/serve-ports.ts'
import { shareBuffers } from './assemble/share-buffers.ts'
import { startAdmin } from './assemble/start-admin.ts'
import { startAnalytics } from './assemble/start-analytics.ts'
import { startLargeRequests } from './assemble/start-large-requests.ts'
import { startWorkers } from './assemble/start-workers.ts'
import { makeLoggerOfStores, type OnStoreOutage, watchStores } from './assemble/watch-stores.ts'
import type { Role } from './config/role.ts'
import type { Sql } from './database/pool.ts'
import { type MethodTable, makeMethodTable } from './methods/table.ts'
import { type Metrics, makeMetrics } from './observability/metrics.ts'
import { describeHealth, type ProviderHealth } from './observability/provider-health.ts'
import { addCredentialGauge } from './observability/state-gauges.ts'
import { chooseProcesses } from './processes/choose-processes.ts'
import type { ClientCalls } from './realtime/client-calls.ts'
import type { ApiDeps } from './server/api-deps.ts'
import { makeKeyCheck } from './server/api-key.ts'
import { checkPorts } from './server/check-ports.ts'
import type { LargeRequests } from './server/large-requests.ts'
import { listAddresses } from './server/plan-ports.ts'
import { makeShutdownPhases, type OnStop, StoppedError } from './shutdown-phases.ts'
import { withDeadline } from './timing/deadline.ts'
import { untilAborted } from './timing/until-aborted.ts'
import type { NodeApi } from './upstream/node-api.ts'
import { NodeWatch } from './upstream/node-watch.ts'

interface ServerPlan extends Plan {
  role: Role
}

/** A running server. */
export interface Assembly {
  /** Base URLs, the external port's first. */
  urls: string[]
  /** The generated API key; undefined when the configuration has a key or needs none. */
  madeKey: string | undefined
  /** A link to the admin web UI that logs in once; undefined without one. */
  adminLink: string | undefined
  /** Resolves when the workers of this server claim pushes. */
  whenSending: Promise<unknown>
  /** Accepts no more work, finishes work in flight and closes all parts, all in `timeoutMs`. Never rejects. */
  stop(timeoutMs: number): Promise<void>
}

/** How long the step of a start that was stopped may take to end, in ms. Then its parts are closed nevertheless. */
const ABANDON_MS = 2000

/**
 * Builds and starts a server. After an error all parts are stopped.
 * @throws ConfigError, UserError; StoppedError when `plan.signal` aborts before the server has started
 */
export async function assemble(plan: ServerPlan): Promise<Assembly> {
  const { onStop, refuseParts, stop } = makeShutdownPhases(plan.logger)
  const { signal = new AbortController().signal } = plan
  const makeError = () => new StoppedError('the server was stopped during its start')
  const building = build(plan, onStop)
  try {
    return { ...(await untilAborted(building, signal, makeError)), stop }
  } catch (error) {
    refuseParts()
    // The step in progress ends first, because it needs the parts that are open. After the deadline it loses them.
    if (signal.aborted) await withDeadline(Promise.allSettled([building]), ABANDON_MS).catch(() => undefined)
    await stop(0)
    throw signal.aborted ? makeError() : error
  }
}

async function build(given: ServerPlan, onStop: OnStop): Promise<Omit<Assembly, 'stop'>> {
  const { role, logger } = given
  const isApi = role !== 'worker' && !given.config.http_api.disabled
  const apiProcesses = chooseApiProcesses(given.config, isApi)
  const config = apiProcesses > 1 ? trustApiProcesses(given.config) : given.config
  const plan = { ...given, config }
  await checkPorts(listAddresses(config.http_server, makesKey(config, isApi)))
  const metrics = makeMetrics()
  const allMetrics = new AllMetrics(metrics)
  const upstream = config.upstream && makeUpstream(config, config.upstream, logger)
  let nodeWatch: NodeWatch | undefined
  if (upstream) onStop.close('upstream', async () => void (await Promise.all([nodeWatch?.stop(), upstream.close()])))
  const push = config.push_notifications.enabled
    ? await buildPush(plan, metrics, allMetrics, upstream?.api, onStop)
    : {
        methods: makeMethodTable(undefined),
        large: undefined,
        clientCalls: undefined,
        isReady: () => true,
        whenSending: Promise.resolve(),
        readHealth: () => ({ down: [], credentials: {} }),
        callLogger: logger,
        adminSources: undefined,
        sql: undefined,
        dsn: undefined,
        onStoreOutage: () => undefined,
      }
  const { methods, large, clientCalls, isReady, whenSending, readHealth, callLogger, adminSources, sql } = push
  addCredentialGauge(metrics.registry, readHealth)
  const { key, madeKey } = chooseKey(config, isApi)
  const api: ApiDeps = {
    methods,
    upstream: upstream?.api,
    hasKey: config.http_api.insecure ? () => true : makeKeyCheck(key),
    ...configureApi(config),
    large,
    overload: makeOverloadLimits(metrics, methods, logger),
    inTurn: (handle) => handle(),
    logger,
    callLogger,
  }
  const admin = startAdmin(
    { config, logger, role, isKeyMade: madeKey !== undefined, sources: adminSources, sql },
    onStop,
  )
  const ports = {
    plan,
    count: apiProcesses,
    key,
    isKeyMade: madeKey !== undefined,
    dsn: push.dsn,
    onStoreOutage: push.onStoreOutage,
    allMetrics,
    api: isApi ? api : undefined,
    parts: {
      metrics: config.prometheus.enabled
        ? {
            read: () => allMetrics.read(),
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
      admin: admin && { ui: admin.ui, api },
      nodeAdmin: role === 'worker' ? undefined : upstream?.clients,
    },
  }
  const urls = await servePorts(ports, onStop)
  if (upstream && config.upstream && role !== 'worker') {
    nodeWatch = new NodeWatch({ api: upstream.api, address: config.upstream.address, logger })
  }
  return { urls, madeKey, whenSending, adminLink: admin?.makeLink(urls.at(-1) ?? '') }
}

interface Push {
  methods: MethodTable
  /** The process for large requests; undefined without the API. */
  large: LargeRequests | undefined
  /** The methods that clients call. */
  clientCalls: ClientCalls
  /** Resolves when workers claim. */
  whenSending: Promise<unknown>
  /** False while a store is down, or while the queue refuses the claims of the workers. */
  isReady(): boolean
  /** The state of the providers for the workers. */
  readHealth(): ProviderHealth
  callLogger: ApiDeps['callLogger']
  /** The parts that the admin web UI shows. */
  adminSources: AdminSources
  /** The device database and its DSN; undefined without one. */
  sql: Sql | undefined
  dsn: string | undefined
  onStoreOutage: OnStoreOutage
}

/** Builds devices and queue and, except for the role `api`, starts workers in this process or in worker processes. */
async function buildPush(
  plan: ServerPlan,
  metrics: Metrics,
  allMetrics: AllMetrics,
  node: NodeApi | undefined,
  onStop: OnStop,
): Promise<Push> {
  const { config, role, logger } = plan
  const databases = await openDatabases(plan, onStop)
  await checkPoolers(databases, logger)
  const stores = await watchStores(plan, databases, onStop)
  const storePlan = { config, logger: makeLoggerOfStores(plan, stores.onOutage) }
  const counts = countInMetrics(metrics)
  const parts = await buildParts(storePlan, databases, onStop)
  if (databases.sql && parts.devices) startUpkeepOf(storePlan, parts.devices, databases, onStop)
  for (const risk of await parts.queue.findRisks()) logger.warn({ risk }, 'queue: accepted sends can be lost')
  addStoreGauges(metrics.registry, config, parts.queue, stores)
  const count = role === 'api' ? 0 : (config.worker.processes ?? chooseProcesses())
  const shared = { ...plan, config: shareBuffers(config, count) }
  const started = await startAnalytics(shared, databases, { registry: metrics.registry, checksServers: true }, onStop)
  const analytics = countReports(started, storePlan, parts, onStop)
  const accept = makeAccept(config, parts, counts, analytics?.recorder)
  const methods = makeMethods(storePlan, { accept, parts, analytics, node })
  const large = role === 'worker' ? undefined : startLargeRequests(plan, databases.dsn, counts, stores.onOutage, onStop)
  const own = {
    methods,
    large,
    clientCalls: makeClientCalls(config, parts, analytics?.reports),
    callLogger: storePlan.logger,
    readHealth: parts.readHealth,
    sql: databases.sql,
    dsn: databases.dsn,
    onStoreOutage: stores.onOutage,
  }
  await logParts(plan, databases)
  const withAdmin = (state: Omit<Push, 'adminSources'>): Push => ({
    ...state,
    adminSources: makeAdminSources(config, {
      accept,
      parts,
      analytics,
      readMetrics: () => allMetrics.read(),
      hasWorkers: role !== 'api',
      ...state,
    }),
  })
  if (role === 'api') return withAdmin({ ...own, isReady: stores.isUp, whenSending: Promise.resolve() })
  const workers = startWorkers(
    {
      parts: { plan: storePlan, metrics, recorder: analytics?.recorder, ...parts },
      childPlan: shared,
      count,
      dsn: databases.dsn,
      onStoreOutage: stores.onOutage,
    },
    onStop,
  )
  allMetrics.add(workers.readChildMetrics)
  return withAdmin({ ...own, ...workers, isReady: () => stores.isUp() && workers.isReady() })
}
