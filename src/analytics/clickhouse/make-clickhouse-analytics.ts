import type { RowMetrics, RowType } from '../../observability/analytics-metrics.ts'
import type { Logger } from '../../observability/log.ts'
import { Spool } from '../spool/spool.ts'
import { appendAttempt } from './attempt-row.ts'
import { BatchSender, type SendPauses } from './batch-sender.ts'
import { ClickhouseAnalytics } from './clickhouse-analytics.ts'
import type { ClickhouseServer } from './clickhouse-server.ts'
import { Inserter } from './inserter.ts'
import { appendNotification } from './notification-row.ts'
import { type PrepareOptions, prepareTables } from './prepare-tables.ts'
import { RowExport } from './row-export.ts'
import { ATTEMPTS, NOTIFICATIONS, type TableDefinition } from './table-definitions.ts'
import { makeInsert } from './table-statements.ts'

interface Options {
  servers: readonly ClickhouseServer[]
  tables: PrepareOptions
  /** The directory of the spools. */
  dataDir: string
  /** Makes the metrics of a type of rows. */
  makeMetrics(type: RowType, countRows: () => number): RowMetrics
  logger: Logger
  pauses: SendPauses
  /** The limits of the open buffer, and of all rows of this process, for each table. */
  flushRows: number
  flushIntervalMs: number
  maxRows: number
}

/** A table with the parts of its export that differ from others. */
interface ExportedTable<Row> {
  type: RowType
  definition: TableDefinition
  /** The directory of its spool in `data_dir`. */
  directory: string
  /** Names its outages in the log. */
  name: string
  append: ConstructorParameters<typeof RowExport<Row>>[0]['append']
}

/** Makes the exports of all tables. The caller starts and stops them. */
export async function makeClickhouseAnalytics(options: Options): Promise<ClickhouseAnalytics> {
  const [notifications, attempts] = await Promise.all([
    makeExport(options, {
      type: 'notifications',
      definition: NOTIFICATIONS,
      directory: 'analytics',
      name: 'clickhouse',
      append: appendNotification,
    }),
    makeExport(options, {
      type: 'attempts',
      definition: ATTEMPTS,
      directory: 'analytics-attempts',
      name: 'clickhouse attempts',
      append: appendAttempt,
    }),
  ])
  return new ClickhouseAnalytics({ notifications, attempts })
}

async function makeExport<Row>(options: Options, table: ExportedTable<Row>): Promise<RowExport<Row>> {
  const { servers, tables, dataDir, logger, pauses, flushRows, flushIntervalMs, maxRows } = options
  const { type, definition, directory, name, append } = table
  const metrics = options.makeMetrics(type, () => rows.rows)
  const spool = await Spool.open(dataDir, directory)
  const inserter = new Inserter({
    servers,
    isCluster: tables.cluster !== '',
    statement: makeInsert(tables, definition),
    prepare: (server) => prepareTables(server, tables),
    metrics,
    logger,
    name,
  })
  const sender = new BatchSender({ inserter, spool, metrics, logger, name, pauses, random: Math.random })
  const limits = { flushRows, flushIntervalMs, maxRows }
  const rows: RowExport<Row> = new RowExport<Row>({
    append,
    sender,
    spool,
    metrics,
    logger,
    name,
    ...limits,
    now: Date.now,
    random: Math.random,
  })
  return rows
}
