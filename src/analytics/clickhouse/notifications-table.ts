// The tables of Centrifugo PRO for notifications (docs/pro/analytics.md of its documentation): the same names and
// columns, so that its queries and dashboards work. A table that exists is used unchanged. The tables that centripush
// makes have additions that PRO's statements lack:
//
// - a window of deduplication tokens, without which a repeated insert stores its rows twice. MergeTree has none by
//   default; that of ReplicatedMergeTree forgets after an hour in newer versions;
// - indexes for the searches by uid, device and user, which are full scans otherwise;
// - ttl_only_drop_parts, which drops a whole day instead of rewriting it.

/** The options that the statements depend on. */
export interface TableOptions {
  database: string
  /** Empty: one server, without a cluster. */
  cluster: string
  /** An interval of ClickHouse such as `7 DAY`. */
  ttl: string
}

/** A column of a table, with the name of its type in ClickHouse. */
export interface Column {
  name: string
  type: string
}

const TABLE = 'notifications'
const DISTRIBUTED_TABLE = 'notifications_distributed'

const COLUMNS: readonly Column[] = [
  ...['uid', 'provider', 'type', 'recipient', 'device_id', 'platform', 'user', 'msg_id'],
  ...['status', 'error_message', 'error_code'],
]
  .map((name) => ({ name, type: 'String' }))
  .concat({ name: 'time', type: 'DateTime' })

const INDEXED_COLUMNS = ['uid', 'device_id', 'user']

/**
 * The number of inserts for which a table keeps the tokens. With an insert a second, a batch may be repeated after
 * almost three hours, for example by a server that was stopped in between. It is the default of replicated tables.
 */
const DEDUPLICATION_WINDOW = 10_000
/** Tokens of replicated tables are kept for a week. */
const DEDUPLICATION_WINDOW_SECONDS = 604_800

/** The order of the columns in inserted rows: first those that all targets of a batch share. */
const INSERT_ORDER =
  'uid, provider, type, time, recipient, device_id, platform, user, msg_id, status, error_code, error_message'

/** The tables of the configuration. With a cluster, `notifications_distributed` distributes the rows of the other. */
export function listTables({ cluster }: TableOptions): string[] {
  return cluster === '' ? [TABLE] : [TABLE, DISTRIBUTED_TABLE]
}

/** The statement before the rows of an insert. */
export function makeInsert(options: TableOptions): string {
  const table = options.cluster === '' ? TABLE : DISTRIBUTED_TABLE
  return `INSERT INTO ${qualify(options, table)} (${INSERT_ORDER}) FORMAT RowBinary`
}

/** The statement that makes the database. */
export function makeCreateDatabase({ database, cluster }: TableOptions): string {
  return `CREATE DATABASE IF NOT EXISTS ${quoteName(database)}${onCluster(cluster)}`
}

/** The statement that makes one of the tables of listTables(). */
export function makeCreateTable(options: TableOptions, table: string): string {
  const columns = COLUMNS.map(({ name, type }) => `    ${quoteName(name)} ${type}`)
  const head = `CREATE TABLE IF NOT EXISTS ${qualify(options, table)}${onCluster(options.cluster)}`
  if (table === DISTRIBUTED_TABLE)
    return `${head}\n(\n${columns.join(',\n')}\n)\nENGINE = ${distributedEngine(options)}`
  const indexes = INDEXED_COLUMNS.map(
    (name) => `    INDEX ${name}_index ${quoteName(name)} TYPE bloom_filter(0.01) GRANULARITY 1`,
  )
  return `${head}
(
${[...columns, ...indexes].join(',\n')}
)
ENGINE = ${localEngine(options)}
PARTITION BY toYYYYMMDD(time)
ORDER BY time
TTL time + INTERVAL ${options.ttl}
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, ${deduplicationSettings(options)}`
}

/** The statements that add the columns which a table lacks. */
export function makeAddColumns(options: TableOptions, table: string, existing: readonly Column[]): string[] {
  const names = new Set(existing.map(({ name }) => name))
  const alter = `ALTER TABLE ${qualify(options, table)}${onCluster(options.cluster)}`
  return COLUMNS.filter(({ name }) => !names.has(name)).map(
    ({ name, type }) => `${alter} ADD COLUMN IF NOT EXISTS ${quoteName(name)} ${type}`,
  )
}

/**
 * The statement that turns on deduplication for a table which does not have it, such as one of PRO. It is for the
 * operator: centripush never changes an existing table.
 */
export function makeDeduplicationAdvice(options: TableOptions): string {
  const change = `MODIFY SETTING non_replicated_deduplication_window = ${DEDUPLICATION_WINDOW}`
  return `ALTER TABLE ${qualify(options, TABLE)}${onCluster(options.cluster)} ${change}`
}

/** Finds the columns that have other types than in PRO's table, so that rows would need another encoding. */
export function findForeignColumns(existing: readonly Column[]): Column[] {
  const expected = new Map(COLUMNS.map(({ name, type }) => [name, type]))
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

function localEngine({ cluster }: TableOptions): string {
  if (cluster === '') return 'MergeTree'
  return `ReplicatedMergeTree('/clickhouse/tables/{cluster}/{shard}/${TABLE}', '{replica}')`
}

function distributedEngine({ database, cluster }: TableOptions): string {
  return `Distributed(${quoteText(cluster)}, ${quoteText(database)}, ${quoteText(TABLE)}, murmurHash3_64(uid))`
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
