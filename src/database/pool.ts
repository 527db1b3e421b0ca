import postgres from 'postgres'

/** A pool of connections to PostgreSQL; also the tag that runs statements. */
export type Sql = postgres.Sql
/** The argument of the callback of `sql.begin`: the same tag, on the connection of one transaction. */
export type Transaction = postgres.TransactionSql
/** Either of them, for functions that run a single statement. */
export type Queryable = postgres.ISql
/** A part of a statement, for interpolation into another one. It does not run on its own. */
export type Fragment = postgres.PendingQuery<postgres.Row[]>

/** The options of a pool. */
export interface DatabaseOptions {
  /** `postgresql://user:password@host:port/database`; `sslmode` and server settings may follow as its query. */
  dsn: string
  /** The most connections held at once. */
  maxConnections: number
  /** The server cancels a statement after this time; 30 s by default. */
  statementTimeoutMs?: number
  /** The name in `pg_stat_activity`. */
  applicationName?: string
  /**
   * `forValues` (the default) plans a statement again for its values: without them the row estimates are wrong by
   * orders of magnitude, because one topic has a million devices and another one three. `once` keeps the plan, for
   * statements that find all rows by keys: planning them takes as long as running them.
   */
  plans?: keyof typeof PLANS
}

const PLANS = {
  // All statements read few rows. A parallel plan is always the result of a wrong estimate.
  forValues: { plan_cache_mode: 'force_custom_plan', max_parallel_workers_per_gather: '0' },
  // A plan that was made for an empty table must not scan the whole table when it is full.
  once: { plan_cache_mode: 'force_generic_plan', enable_seqscan: 'off', jit: 'off' },
} as const

const CONNECT_TIMEOUT_SECONDS = 5
const STATEMENT_TIMEOUT_MS = 30_000
/** After a lost connection the next statement reconnects immediately; by default the library waits up to 20 s. */
const RECONNECT_DELAY_SECONDS = 0.05

/**
 * Opens a pool. Connections are opened when statements need them, so the call also succeeds while the database is down.
 * Statements reject immediately then, and succeed again when the database is back. `bigint` columns are strings,
 * because a number would lose digits. Close the pool with `sql.end()`.
 */
export function openDatabase(options: DatabaseOptions): Sql {
  return postgres(options.dsn, {
    max: options.maxConnections,
    connect_timeout: CONNECT_TIMEOUT_SECONDS,
    backoff: () => RECONNECT_DELAY_SECONDS,
    // By default the library prints notices on standard output, which is for the log.
    onnotice: () => undefined,
    connection: {
      application_name: options.applicationName ?? 'centripush',
      statement_timeout: options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
      ...PLANS[options.plans ?? 'forValues'],
    },
  })
}
