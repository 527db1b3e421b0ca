// The statements that make the tables of the export and insert into them. A table that exists is used unchanged. The
// tables that centripush makes have additions that PRO's statements lack:
//
// - a window of deduplication tokens, without which a repeated insert stores its rows twice. MergeTree has none by
//   default; that of ReplicatedMergeTree forgets after an hour in newer versions;
// - indexes for the searches by uid, device and user, which are full scans otherwise;
// - ttl_only_drop_parts, which drops a whole day instead of rewriting it.
import { type Column, NOTIFICATIONS, TABLES, type TableDefinition } from './table-definitions.ts'

/** The options that the statements depend on. */
export interface TableOptions {
  database: string
  /** Empty: one server, without a cluster. */
  cluster: string
  /** An interval of ClickHouse such as `7 DAY`. */
  ttl: string
}

/** A table of the configuration. */
export interface Table {
  definition: TableDefinition
  name: string
  /** Whether it only distributes the rows of another table in a cluster. */
  isDistributed: boolean
}

const INDEXED_COLUMNS = ['uid', 'device_id', 'user']

/**
 * The number of inserts for which a table keeps the tokens. With an insert a second, a batch may be repeated after
 * almost three hours, for example by a server that was stopped in between. It is the default of replicated tables.
 */
const DEDUPLICATION_WINDOW = 10_000
/** Tokens of replicated tables are kept for a week. */
const DEDUPLICATION_WINDOW_SECONDS = 604_800

/** The tables of the configuration. In a cluster each has a second one, which distributes its rows to the shards. */
export function listTables({ cluster }: TableOptions): Table[] {
  return TABLES.flatMap((definition) => {
    const local = { definition, name: definition.name, isDistributed: false }
    const distributed = { definition, name: `${definition.name}_distributed`, isDistributed: true }
    return cluster === '' ? [local] : [local, distributed]
  })
}

/** The table, with its database, that rows are inserted into and read from. */
export function nameTable(options: TableOptions, { name }: TableDefinition): string {
  return qualify(options, options.cluster === '' ? name : `${name}_distributed`)
}

/** The statement before the rows of an insert. */
export function makeInsert(options: TableOptions, definition: TableDefinition): string {
  return `INSERT INTO ${nameTable(options, definition)} (${definition.insertOrder}) FORMAT RowBinary`
}

/** The statement that makes the database. */
export function makeCreateDatabase({ database, cluster }: TableOptions): string {
  return `CREATE DATABASE IF NOT EXISTS ${quoteName(database)}${onCluster(cluster)}`
}

/** The statement that makes a table. */
export function makeCreateTable(options: TableOptions, { definition, name, isDistributed }: Table): string {
  const columns = definition.columns.map((column) => `    ${quoteName(column.name)} ${column.type}`)
  const head = `CREATE TABLE IF NOT EXISTS ${qualify(options, name)}${onCluster(options.cluster)}`
  if (isDistributed) return `${head}\n(\n${columns.join(',\n')}\n)\nENGINE = ${distributedEngine(options, definition)}`
  const indexes = INDEXED_COLUMNS.map(
    (column) => `    INDEX ${column}_index ${quoteName(column)} TYPE bloom_filter(0.01) GRANULARITY 1`,
  )
  return `${head}
(
${[...columns, ...indexes].join(',\n')}
)
ENGINE = ${localEngine(options, definition)}
PARTITION BY toYYYYMMDD(time)
ORDER BY time
TTL time + INTERVAL ${options.ttl}
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, ${deduplicationSettings(options)}`
}

/** The statements that add the columns which a table lacks. */
export function makeAddColumns(
  options: TableOptions,
  { definition, name }: Table,
  existing: readonly Column[],
): string[] {
  const names = new Set(existing.map((column) => column.name))
  const alter = `ALTER TABLE ${qualify(options, name)}${onCluster(options.cluster)}`
  return definition.columns
    .filter((column) => !names.has(column.name))
    .map((column) => `${alter} ADD COLUMN IF NOT EXISTS ${quoteName(column.name)} ${column.type}`)
}

/**
 * The statement that turns on deduplication for a table `notifications` without it, such as one of PRO. It is for the
 * operator: centripush never changes an existing table.
 */
export function makeDeduplicationAdvice(options: TableOptions): string {
  const change = `MODIFY SETTING non_replicated_deduplication_window = ${DEDUPLICATION_WINDOW}`
  return `ALTER TABLE ${qualify(options, NOTIFICATIONS.name)}${onCluster(options.cluster)} ${change}`
}

/** Finds the columns that have other types than in the definition, so that rows would need another encoding. */
export function findForeignColumns({ columns }: TableDefinition, existing: readonly Column[]): Column[] {
  const expected = new Map(columns.map(({ name, type }) => [name, type]))
  return existing.filter(({ name, type }) => {
    const wanted = expected.get(name)
    return wanted !== undefined && !hasEncoding(type, wanted)
  })
}

/** LowCardinality and the time zone of a DateTime change the storage and the display, and not the encoding of a row. */
function hasEncoding(type: string, wanted: string): boolean {
  if (wanted === 'DateTime') return /^DateTime(\('[^']*'\))?$/.test(type)
  return type === wanted || type === `LowCardinality(${wanted})`
}

function localEngine({ cluster }: TableOptions, { name }: TableDefinition): string {
  if (cluster === '') return 'MergeTree'
  return `ReplicatedMergeTree('/clickhouse/tables/{cluster}/{shard}/${name}', '{replica}')`
}

function distributedEngine({ database, cluster }: TableOptions, { name }: TableDefinition): string {
  return `Distributed(${quoteText(cluster)}, ${quoteText(database)}, ${quoteText(name)}, murmurHash3_64(uid))`
}

function deduplicationSettings({ cluster }: TableOptions): string {
  if (cluster === '') return `non_replicated_deduplication_window = ${DEDUPLICATION_WINDOW}`
  return (
    `replicated_deduplication_window = ${DEDUPLICATION_WINDOW}, ` +
    `replicated_deduplication_window_seconds = ${DEDUPLICATION_WINDOW_SECONDS}`
  )
}

function onCluster(cluster: string): string {
  return cluster === '' ? '' : ` ON CLUSTER ${quoteText(cluster)}`
}

function qualify({ database }: TableOptions, table: string): string {
  return `${quoteName(database)}.${quoteName(table)}`
}

function quoteName(name: string): string {
  return `\`${name.replace(/[\\`]/g, '\\$&')}\``
}

function quoteText(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}
