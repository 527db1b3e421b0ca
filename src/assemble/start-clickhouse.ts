import type { Registry } from 'prom-client'
import { BatchSender, SEND_PAUSES } from '../analytics/clickhouse/batch-sender.ts'
import { ClickhouseAnalytics } from '../analytics/clickhouse/clickhouse-analytics.ts'
import { ClickhouseServer } from '../analytics/clickhouse/clickhouse-server.ts'
import { explainError } from '../analytics/clickhouse/insert-error.ts'
import { Inserter } from '../analytics/clickhouse/inserter.ts'
import { makeInsert } from '../analytics/clickhouse/notifications-table.ts'
import {
  adviseDeduplication,
  type PrepareOptions,
  prepareTables,
  TableError,
} from '../analytics/clickhouse/prepare-tables.ts'
import { Spool } from '../analytics/clickhouse/spool.ts'
import { type ClickhouseAddress, parseClickhouseDsn } from '../config/clickhouse-address.ts'
import { readClientTls } from '../config/client-tls.ts'
import type { ClickhouseOptions } from '../config/sections/clickhouse-analytics.ts'
import { UserError } from '../config/user-error.ts'
import { addClickhouseMetrics } from '../observability/clickhouse-metrics.ts'
import type { Logger } from '../observability/log.ts'
import type { OnStop } from '../shutdown-phases.ts'
import type { Plan } from './plan.ts'

/** The time for the last inserts of a shutdown, in ms. Rows that are not accepted in it stay in the spool. */
const STOP_GRACE_MS = 3000

/**
 * Starts the export of notifications to ClickHouse.
 * @param checksServers checks the servers before, and makes missing tables
 * @throws ConfigError, TableError, or UserError if a server can't be used
 */
export async function startClickhouse(
  { config, logger }: Plan,
  registry: Registry,
  checksServers: boolean,
  onStop: OnStop,
): Promise<ClickhouseAnalytics> {
  const options = config.clickhouse_analytics
  const tls = readClientTls('clickhouse_analytics.tls', options.tls)
  const addresses = readAddresses(options)
  const servers = addresses.map((address) => new ClickhouseServer({ ...address, tls }))
  onStop.close('clickhouse connections', async () => {
    await Promise.all(servers.map((server) => server.close()))
  })
  const tables = readTableOptions(options)
  if (checksServers) {
    logReplacedPorts(addresses, logger)
    for (const server of servers) await checkServer(server, tables, options.skip_ping_on_start, logger)
  }
  const analytics = await makeAnalytics({ config, logger }, servers, tables, registry)
  analytics.start()
  onStop.close('clickhouse', () => analytics.stop(STOP_GRACE_MS))
  return analytics
}

/** The addresses of the servers. Several native addresses may belong to one HTTP address. */
function readAddresses({ clickhouse_dsn, tls }: ClickhouseOptions): ClickhouseAddress[] {
  const addresses = clickhouse_dsn.flatMap((dsn) => parseClickhouseDsn(dsn, tls.enabled) ?? [])
  return [...new Map(addresses.map((address) => [address.url, address])).values()]
}

function logReplacedPorts(addresses: readonly ClickhouseAddress[], logger: Logger): void {
  for (const { nativeUrl, url } of addresses) {
    if (nativeUrl) logger.info({ dsn: nativeUrl, url }, 'clickhouse: HTTP port is used in place of the native one')
  }
}

function readTableOptions(options: ClickhouseOptions): PrepareOptions {
  return {
    database: options.clickhouse_database || 'default',
    cluster: options.clickhouse_cluster,
    ttl: options.export.notifications.ttl,
    makesTables: !options.skip_schema_initialization,
  }
}

/** Checks a server at the start. With `skipsPing` only tables that do not fit stop the start. */
async function checkServer(server: ClickhouseServer, tables: PrepareOptions, skipsPing: boolean, logger: Logger) {
  const { url } = server
  try {
    await server.ping()
    await prepareTables(server, tables)
    const statement = await adviseDeduplication(server, tables)
    if (statement) logger.warn({ url, statement }, 'clickhouse: repeated inserts store rows twice; run the statement')
  } catch (error) {
    if (error instanceof TableError) throw error
    const cause = explainError(error)
    if (skipsPing) return logger.warn({ url, cause }, 'clickhouse: server can not be used, rows are kept')
    const mend = 'check that it is running and clickhouse_dsn is right, or set clickhouse_analytics.skip_ping_on_start'
    throw new UserError(`clickhouse_analytics: ${url} can't be used: ${cause}; ${mend}`, { cause: error })
  }
}

async function makeAnalytics(
  { config, logger }: Plan,
  servers: readonly ClickhouseServer[],
  tables: PrepareOptions,
  registry: Registry,
): Promise<ClickhouseAnalytics> {
  const { flush_size, flush_interval, max_buffer_size } = config.clickhouse_analytics.export.notifications
  const metrics = addClickhouseMetrics(registry, () => analytics.rows)
  const spool = await Spool.open(config.data_dir)
  const inserter = new Inserter({
    servers,
    isCluster: tables.cluster !== '',
    statement: makeInsert(tables),
    prepare: (server) => prepareTables(server, tables),
    metrics,
    logger,
  })
  const sender = new BatchSender({ inserter, spool, metrics, logger, pauses: SEND_PAUSES, random: Math.random })
  const analytics: ClickhouseAnalytics = new ClickhouseAnalytics({
    sender,
    spool,
    metrics,
    logger,
    flushRows: flush_size,
    flushIntervalMs: flush_interval,
    maxRows: max_buffer_size,
    now: Date.now,
    random: Math.random,
  })
  return analytics
}
