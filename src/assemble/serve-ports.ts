import { randomBytes } from 'node:crypto'
import type { Config } from '../config/schema.ts'
import { ApiProcesses } from '../processes/api-processes.ts'
import { countCores } from '../processes/choose-processes.ts'
import type { ApiDeps } from '../server/api-deps.ts'
import { makeKeyCheck } from '../server/api-key.ts'
import type { AppParts } from '../server/app.ts'
import { planPorts } from '../server/plan-ports.ts'
import { type PortOptions, startServer } from '../server/start-server.ts'
import type { OnStop } from '../shutdown-phases.ts'
import type { AllMetrics } from './all-metrics.ts'
import { planChildProcess } from './make-worker-processes.ts'
import { MAX_CONNECTIONS } from './open-databases.ts'
import type { Plan } from './plan.ts'
import type { OnStoreOutage } from './watch-stores.ts'

/** The address of the servers for API processes. */
const LOOPBACK = '127.0.0.1'
const KEY_BYTES = 24
/** The fewest connections of an API process to PostgreSQL. */
const MIN_CONNECTIONS = 6

interface Options {
  plan: Plan
  /** The number of API processes; 1: this process. */
  count: number
  /** The API key, and whether the server made it. */
  key: string
  isKeyMade: boolean
  /** The DSN of the device database. */
  dsn: string | undefined
  parts: Omit<AppParts, 'api'>
  /** Undefined without the API. */
  api: ApiDeps | undefined
  onStoreOutage: OnStoreOutage
  /** Gets the metrics of the API processes, before the first of them serves. */
  allMetrics: AllMetrics
}

/** The number of API processes of a configuration; 1 for the server's own process. */
export function chooseApiProcesses({ http_server: { processes } }: Config, isApi: boolean): number {
  return isApi ? processes || countCores() : 1
}

/** The configuration of the server's own process: API processes tell it the addresses of clients. */
export function trustApiProcesses(config: Config): Config {
  const trusted_proxies = [...config.http_server.trusted_proxies, `${LOOPBACK}/32`]
  return { ...config, http_server: { ...config.http_server, trusted_proxies } }
}

/** The prefix of a path without slashes at its end. */
export function trimSlash(prefix: string): string {
  return prefix.replace(/\/+$/, '')
}

/**
 * Opens the ports, in this process or in API processes. Resolves to their base URLs, the external port's first.
 * @throws ConfigError, UserError when a port can't be opened
 */
export async function servePorts(options: Options, onStop: OnStop): Promise<string[]> {
  const { plan, count, isKeyMade, parts, api } = options
  const { config } = plan
  const isExternal = { api: config.http_api.external, admin: config.admin.external }
  const prefix = trimSlash(config.http_api.handler_prefix)
  const ports = planPorts(config.http_server, isExternal, isKeyMade, { ...parts, api: api && { deps: api, prefix } })
  if (api && count > 1) return await serveInProcesses({ ...options, api }, ports, onStop)
  const server = await startServer(ports)
  onStop.drain('server', (graceMs) => server.close(graceMs, config.shutdown.drain))
  return server.urls
}

async function serveInProcesses(
  { plan, count, key, isKeyMade, dsn, api, onStoreOutage, allMetrics }: Options & { api: ApiDeps },
  ports: readonly PortOptions[],
  onStop: OnStop,
): Promise<string[]> {
  const { config, logger } = plan
  const childKey = randomBytes(KEY_BYTES).toString('base64url')
  // API processes answer the API and pass connections on to the node, on each port that has them.
  const rest = ports.map(({ app }) => ({ ...app, api: undefined, connections: undefined }))
  const large = { api: { deps: { ...api, hasKey: makeKeyCheck(childKey) }, prefix: '/api' }, ...NOTHING }
  const here = { address: LOOPBACK, port: 0, tls: undefined }
  const server = await startServer([...rest.map((app) => ({ ...here, app, childKey })), { ...here, app: large }])
  onStop.drain('server', (graceMs) => server.close(graceMs, 0))
  const servers = server.urls.map((url) => ({ url, key: childKey }))
  const processes = new ApiProcesses({
    count,
    logger,
    onStoreOutage,
    start: {
      kind: 'start',
      config: planApiProcess(config, { dsn, key, count }),
      isKeyMade,
      rest: servers.slice(0, -1),
      large: servers.at(-1) ?? { url: '', key: '' },
    },
  })
  onStop.drain('api processes', (graceMs) => processes.stop(graceMs))
  allMetrics.add(() => processes.readMetrics())
  return await processes.start()
}

const NOTHING = {
  metrics: undefined,
  health: undefined,
  connections: undefined,
  admin: undefined,
  nodeAdmin: undefined,
}

/** The configuration of an API process: its share of connections and of request bodies. */
function planApiProcess(config: Config, { dsn, key, count }: { dsn: string | undefined; key: string; count: number }) {
  const connections = config.database?.postgresql.max_connections ?? MAX_CONNECTIONS
  const planned = planChildProcess(config, dsn, Math.max(MIN_CONNECTIONS, Math.ceil(connections / count)))
  const { trusted_proxies } = config.http_server
  return {
    ...planned,
    // Without the last one, which trustApiProcesses() has added.
    http_server: { ...config.http_server, trusted_proxies: trusted_proxies.slice(0, -1) },
    http_api: {
      ...config.http_api,
      key,
      max_request_bodies_size: Math.ceil(config.http_api.max_request_bodies_size / count),
    },
  }
}
