import type { Registry } from 'prom-client'
import type { EventReader } from '../analytics/analytics.ts'
import { SEND_PAUSES } from '../analytics/clickhouse/batch-sender.ts'
import { ClickhouseReader } from '../analytics/clickhouse/clickhouse-reader.ts'
import { ClickhouseServer } from '../analytics/clickhouse/clickhouse-server.ts'
import { ClickhouseVolume } from '../analytics/clickhouse/clickhouse-volume.ts'
import { explainError } from '../analytics/clickhouse/insert-error.ts'
import { makeClickhouseAnalytics } from '../analytics/clickhouse/make-clickhouse-analytics.ts'
import {
  adviseDeduplication,
  type PrepareOptions,
  prepareTables,
  TableError,
} from '../analytics/clickhouse/prepare-tables.ts'
import { type ClickhouseAddress, parseClickhouseDsn } from '../config/clickhouse-address.ts'
import { readClientTls } from '../config/client-tls.ts'
import type { ClickhouseOptions } from '../config/sections/clickhouse-analytics.ts'
import { UserError } from '../config/user-error.ts'
import { ANSWER_TIMEOUT_MS } from '../database/answer-deadline.ts'
import { addAnalyticsMetrics } from '../observability/analytics-metrics.ts'
import type { Logger } from '../observability/log.ts'
import type { OnStop } from '../shutdown-phases.ts'
import type { Plan } from './plan.ts'
import type { RunningAnalytics } from './running-analytics.ts'

/** The time for the last inserts of a shutdown, in ms. Rows that are not accepted in it stay in the spool. */
const STOP_GRACE_MS = 3000
/** The queries of push_events and explain_push that a process runs at once. */
const READER_CONNECTIONS = 4

/**
 * Starts the export of notifications to ClickHouse, and the reader of its tables.
 * @param checksServers checks the servers before, and makes missing tables
 * @throws ConfigError, TableError, or UserError if a server can't be used
 */
export async function startClickhouse(
  { config, logger }: Plan,
  registry: Registry,
  checksServers: boolean,
  onStop: OnStop,
): Promise<RunningAnalytics> {
  const options = config.clickhouse_analytics
  const { addresses, servers } = openServers(options, onStop)
  const tables = readTableOptions(options)
  if (checksServers) {
    logReplacedPorts(addresses, logger)
    for (const server of servers) await checkServer(server, tables, options.skip_ping_on_start, logger)
  }
  const { flush_size, flush_interval, max_buffer_size } = options.export.notifications
  const analytics = await makeClickhouseAnalytics({
    servers,
    tables,
    dataDir: config.data_dir,
    makeMetrics: addAnalyticsMetrics(registry),
    logger,
    pauses: SEND_PAUSES,
    flushRows: flush_size,
    flushIntervalMs: flush_interval,
    maxRows: max_buffer_size,
  })
  analytics.start()
  onStop.close('clickhouse', () => analytics.stop(STOP_GRACE_MS))
  return { reports: analytics, recorder: analytics, ...openReaders(options, onStop) }
}

/** Opens a reader of the tables with connections of its own, so that inserts never wait for its queries. */
export function openClickhouseReader(options: ClickhouseOptions, onStop: OnStop): EventReader {
  return openReaders(options, onStop).reader
}

function openReaders(options: ClickhouseOptions, onStop: OnStop): Pick<RunningAnalytics, 'reader' | 'volume'> {
  const limits = { answerTimeoutMs: ANSWER_TIMEOUT_MS, maxConnections: READER_CONNECTIONS }
  const { servers } = openServers(options, onStop, limits)
  const deps = { servers, tables: readTableOptions(options) }
  return { reader: new ClickhouseReader(deps), volume: new ClickhouseVolume(deps) }
}

/** Opens the servers of the configuration. Several native addresses may belong to one HTTP address. */
function openServers(
  { clickhouse_dsn, tls }: ClickhouseOptions,
  onStop: OnStop,
  limits: { answerTimeoutMs?: number; maxConnections?: number } = {},
): { addresses: ClickhouseAddress[]; servers: ClickhouseServer[] } {
  const connectionTls = readClientTls('clickhouse_analytics.tls', tls)
  const parsed = clickhouse_dsn.flatMap((dsn) => parseClickhouseDsn(dsn, tls.enabled) ?? [])
  const addresses = [...new Map(parsed.map((address) => [address.url, address])).values()]
  const servers = addresses.map((address) => new ClickhouseServer({ ...address, ...limits, tls: connectionTls }))
  onStop.close('clickhouse connections', async () => {
    await Promise.all(servers.map((server) => server.close()))
  })
  return { addresses, servers }
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
