// A separate file, so that the process does not load the code of workers.
import { Registry } from 'prom-client'
import type { Config } from '../config/schema.ts'
import { makeKeyCheck } from '../server/api-key.ts'
import { startServer } from '../server/start-server.ts'
import { makeShutdownPhases } from '../shutdown-phases.ts'
import { makeTurns } from '../timing/turns.ts'
import { buildParts } from './build-parts.ts'
import { configureApi } from './configure-api.ts'
import { countReports } from './count-reports.ts'
import { makeAccept } from './make-accept.ts'
import { makeMethods } from './make-methods.ts'
import { makeUpstream } from './make-upstream.ts'
import { openDatabases } from './open-databases.ts'
import type { Plan } from './plan.ts'
import type { SendCounts } from './send-counts.ts'
import { startAnalytics } from './start-analytics.ts'
import { makeLoggerOfStores, type OnStoreOutage } from './watch-stores.ts'

/** The running parts of the process for large requests. */
export interface LargeRequestAssembly {
  /** The base URL of its API. */
  url: string
  /** Closes all parts. Never rejects. */
  stop(): Promise<void>
}

/**
 * Builds and starts the API for large requests on a free port of 127.0.0.1: no worker and no upkeep.
 * @param key the API key of its only client, the parent
 * @param onStoreOutage called for each outage of a store that a request meets
 * @throws ConfigError, UserError
 */
export async function assembleLargeRequests(
  { config, logger }: Plan,
  key: string,
  counts: SendCounts,
  onStoreOutage: OnStoreOutage,
): Promise<LargeRequestAssembly> {
  const { onStop, stop } = makeShutdownPhases(logger)
  const plan = { config, logger: makeLoggerOfStores({ config, logger }, onStoreOutage) }
  try {
    const databases = await openDatabases(plan, onStop)
    const parts = await buildParts(plan, databases, onStop)
    // The metrics of this process are not read.
    const analytics = await startAnalytics(plan, databases, { registry: new Registry(), checksServers: false }, onStop)
    const reported = countReports(analytics, plan, parts, onStop)
    const accept = makeAccept(config, parts, counts, reported?.recorder)
    const upstream = config.upstream && makeUpstream(trustParent(config), config.upstream, logger)
    if (upstream) onStop.close('upstream', () => upstream.close())
    const methods = makeMethods(plan, { accept, parts, analytics: reported, node: upstream?.api })
    const deps = {
      methods,
      upstream: upstream?.api,
      hasKey: makeKeyCheck(key),
      ...configureApi(config),
      large: undefined,
      overload: undefined,
      inTurn: makeTurns(),
      logger,
      callLogger: plan.logger,
    }
    const app = {
      api: { deps, prefix: '/api' },
      metrics: undefined,
      health: undefined,
      connections: undefined,
      admin: undefined,
      nodeAdmin: undefined,
    }
    const server = await startServer([{ address: '127.0.0.1', port: 0, tls: undefined, app }])
    onStop.drain('server', (graceMs) => server.close(graceMs, 0))
    return { url: server.urls[0] ?? '', stop: () => stop(0) }
  } catch (error) {
    await stop(0)
    throw error
  }
}

/** All requests come from the parent, which has added the address of the client. */
function trustParent(config: Config): Config {
  const trusted_proxies = [...config.http_server.trusted_proxies, '127.0.0.1/32']
  return { ...config, http_server: { ...config.http_server, trusted_proxies } }
}
