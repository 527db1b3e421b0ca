// A separate file, so that an API process does not load the code of workers and of the web UI.

import { type MethodTable, makeMethodTable } from '../methods/table.ts'
import { makeMetrics } from '../observability/metrics.ts'
import type { ApiOrder } from '../processes/messages.ts'
import { makeKeyCheck } from '../server/api-key.ts'
import type { AppParts } from '../server/app.ts'
import { LargeRequests } from '../server/large-requests.ts'
import { makeParentServer } from '../server/parent-server.ts'
import { planPorts } from '../server/plan-ports.ts'
import { startServer } from '../server/start-server.ts'
import { makeShutdownPhases, type OnStop } from '../shutdown-phases.ts'
import type { NodeApi } from '../upstream/node-api.ts'
import { RouteHeaders } from '../upstream/route-headers.ts'
import { buildParts } from './build-parts.ts'
import { configureApi } from './configure-api.ts'
import { countReports } from './count-reports.ts'
import { makeAccept } from './make-accept.ts'
import { makeMethods } from './make-methods.ts'
import { makeOverloadLimits } from './make-overload-limits.ts'
import { makeUpstream, makeWayToParent } from './make-upstream.ts'
import { openDatabases } from './open-databases.ts'
import type { Plan } from './plan.ts'
import { countInMetrics } from './send-counts.ts'
import { startAnalytics } from './start-analytics.ts'
import { makeLoggerOfStores, type OnStoreOutage } from './watch-stores.ts'

/** The running parts of an API process. */
export interface ApiAssembly {
  /** The URLs of its ports. */
  urls: string[]
  /** The metrics of this process in the form of prom-client's `getMetricsAsJSON`. */
  readMetrics(): Promise<object[]>
  /** Accepts no more connections, finishes requests within `graceMs`, then closes all parts. Never rejects. */
  stop(graceMs: number): Promise<void>
}

type Start = Extract<ApiOrder, { kind: 'start' }>

/**
 * Builds and starts the parts of an API process: no worker, no upkeep, and no checks of the stores, because its parent
 * has them.
 * @param onStoreOutage called for each outage of a store that a request meets
 * @throws ConfigError, UserError
 */
export async function assembleApi(
  { config, isKeyMade, rest, large }: Start,
  logger: Plan['logger'],
  onStoreOutage: OnStoreOutage,
): Promise<ApiAssembly> {
  const { onStop, stop } = makeShutdownPhases(logger)
  const plan = { config, logger: makeLoggerOfStores({ config, logger }, onStoreOutage) }
  try {
    const metrics = makeMetrics()
    const upstream = config.upstream && makeUpstream(config, config.upstream, logger)
    if (upstream) onStop.close('upstream', () => upstream.close())
    const isPush = config.push_notifications.enabled
    const methods = isPush ? await buildMethods(plan, metrics, upstream?.api, onStop) : makeMethodTable(undefined)
    const deps = {
      methods,
      upstream: upstream?.api,
      hasKey: config.http_api.insecure ? () => true : makeKeyCheck(config.http_api.key ?? ''),
      ...configureApi(config),
      large: isPush ? passLarge(plan, large, onStop) : undefined,
      overload: makeOverloadLimits(metrics, methods, logger),
      inTurn: (handle: () => Promise<void>) => handle(),
      logger,
      callLogger: plan.logger,
    }
    const parts: AppParts = {
      api: { deps, prefix: config.http_api.handler_prefix.replace(/\/+$/, '') },
      connections: upstream?.clients,
      metrics: undefined,
      health: undefined,
      admin: undefined,
      nodeAdmin: undefined,
    }
    const { key: proxyKey, client_certificates } = config.rpc_proxy
    const hasRpcProxy = proxyKey !== undefined || client_certificates
    const isExternal = { api: config.http_api.external, admin: false }
    const ports = planPorts(config.http_server, isExternal, isKeyMade, parts).map((port, index) => {
      const { url = '', key = '' } = rest[index] ?? {}
      const parent = makeWayToParent(config, url, logger)
      onStop.close('way to the parent', () => parent.close())
      return { ...port, hasRpcProxy, app: { ...port.app, rest: makeParentServer(parent.clients, key) } }
    })
    const server = await startServer(ports)
    onStop.drain('server', (graceMs) => server.close(graceMs, config.shutdown.drain))
    return {
      urls: server.urls,
      readMetrics: () => metrics.registry.getMetricsAsJSON(),
      // The server has kept the time for closing.
      stop: (graceMs) => stop(graceMs, 0),
    }
  } catch (error) {
    await stop(0)
    throw error
  }
}

async function buildMethods(
  plan: Plan,
  metrics: ReturnType<typeof makeMetrics>,
  node: NodeApi | undefined,
  onStop: OnStop,
): Promise<MethodTable> {
  const databases = await openDatabases(plan, onStop)
  const parts = await buildParts(plan, databases, onStop)
  const { registry } = metrics
  const started = await startAnalytics(plan, databases, { registry, checksServers: false }, onStop)
  const analytics = countReports(started, plan, parts, onStop)
  const accept = makeAccept(plan.config, parts, countInMetrics(metrics), analytics?.recorder)
  return makeMethods(plan, { accept, parts, analytics, node })
}

/** Passes large requests to the parent, which has one process for those of all its API processes. */
function passLarge({ config, logger }: Plan, server: Start['large'], onStop: OnStop): LargeRequests {
  const requests = new LargeRequests({
    acquire: async () => server,
    release: () => undefined,
    maxRequestBytes: config.http_api.max_request_body_size,
    route: new RouteHeaders(config.http_server.trusted_proxies, logger),
    logger,
  })
  onStop.close('large requests', () => requests.close())
  return requests
}
