import postgres from 'postgres'

/** A pool of connections to PostgreSQL; also the tag that runs statements. */
export type Sql = postgres.Sql
/** What `sql.begin` hands to its callback: the same tag, on the connection of one transaction. */
export type Transaction = postgres.TransactionSql
/** Either of them: all that a single statement needs. */
export type Queryable = postgres.ISql
/** A piece of a statement, to be put into another one. Runs nothing by itself. */
export type Fragment = postgres.PendingQuery<postgres.Row[]>

export interface DatabaseOptions {
  /** `postgresql://user:password@host:port/database`; `sslmode` and server settings may follow as its query. */
  dsn: string
  /** The most connections held at once. */
  maxConnections: number
  /** The server gives a statement up after this long. */
  statementTimeoutMs?: number
  /** What `pg_stat_activity` shows. */
  applicationName?: string
  /**
   * `forValues` (the default) plans a statement anew with each of its values: without looking at them, plans are wrong by
   * orders of magnitude where one topic has a million devices and the next one three. `once` is for statements that look
   * everything up by keys: planning them takes as long as running them.
   */
  plans?: keyof typeof PLANS
}

const PLANS = {
  // All of them want few rows. A plan for several processes is one for all rows that were thought to be few.
  forValues: { plan_cache_mode: 'force_custom_plan', max_parallel_workers_per_gather: '0' },
  // Tables that were empty when the plan was made must not be read from end to end by it once they are full.
  once: { plan_cache_mode: 'force_generic_plan', enable_seqscan: 'off', jit: 'off' },
} as const

const CONNECT_TIMEOUT_SECONDS = 5
const STATEMENT_TIMEOUT_MS = 30_000
/** After a lost connection the next statement tries again at once; the library would wait up to 20 s. */
const RECONNECT_DELAY_SECONDS = 0.05

/**
 * Opens a pool; connections are made when statements need them, so this does not fail for a database that is down.
 * A statement then rejects at once, and succeeds again when the database is back. `bigint` columns come as strings,
 * because a number would lose digits. Close it with `sql.end()`.
 */
export function openDatabase(options: DatabaseOptions): Sql {
  return postgres(options.dsn, {
    max: options.maxConnections,
    connect_timeout: CONNECT_TIMEOUT_SECONDS,
    backoff: () => RECONNECT_DELAY_SECONDS,
    // The library prints notices on standard output, which belongs to the log.
    onnotice: () => undefined,
    connection: {
      application_name: options.applicationName ?? 'centripush',
      statement_timeout: options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
      ...PLANS[options.plans ?? 'forValues'],
    },
  })
}
