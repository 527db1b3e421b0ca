import postgres from 'postgres'
import { parsePostgresDsn } from '../config/postgres/postgres-dsn.ts'
import { type OpenStream, ServerChoice, type ServerState } from './connection/server-choice.ts'

/** A pool of connections to PostgreSQL. It is also the template tag that runs statements. */
export type Sql = postgres.Sql
/** The template tag on the connection of one transaction, as the callback of `sql.begin` gets it. */
export type Transaction = postgres.TransactionSql
/** A pool or a transaction, for functions that run a single statement. */
export type Queryable = postgres.ISql
/** A part of an SQL statement, to be interpolated into another one. It does not run on its own. */
export type Fragment = postgres.PendingQuery<postgres.Row[]>

/** The options of openDatabase(). */
export interface DatabaseOptions {
  /** A connection string of libpq, as config/postgres/postgres-dsn.ts reads it. */
  dsn: string
  /** The most connections that the pool holds at once. */
  maxConnections: number
  /**
   * PostgreSQL cancels a statement after this many ms, and ends the connection of a transaction that gets no statement
   * for this long; 30 s by default.
   */
  statementTimeoutMs?: number
  /** The name of the connections in `pg_stat_activity`. */
  applicationName?: string
  /**
   * When statements are planned. `forValues` (the default): at each execution, for its values. Otherwise the estimates
   * are wrong by orders of magnitude, because one topic has a million devices and another one three. `once`: the plan
   * is kept. This is for statements that find all rows by keys: planning these takes as long as running them.
   */
  plans?: keyof typeof PLANS
}

const PLANS = {
  // No parallel plans: all statements read few rows, so a parallel plan is always the result of a wrong estimate.
  forValues: { plan_cache_mode: 'force_custom_plan', max_parallel_workers_per_gather: '0' },
  // No sequential scans: a plan that was made while the table was empty must not scan the whole table when it is full.
  once: { plan_cache_mode: 'force_generic_plan', enable_seqscan: 'off', jit: 'off' },
} as const

/** How long the server may take to authenticate a new connection, in seconds. */
const LOGIN_TIMEOUT_SECONDS = 5
const STATEMENT_TIMEOUT_MS = 30_000
/** After a lost connection the next statement reconnects almost at once; by default the driver waits up to 20 s. */
const RECONNECT_DELAY_SECONDS = 0.05

/**
 * Opens a pool. It connects when a statement needs a connection, so the call succeeds even if the database is down.
 * Statements then reject immediately, and succeed again when the database is back. `bigint` columns are returned as
 * strings, because a number would lose digits. Close the pool with `sql.end()`.
 * @throws DsnError
 */
export function openDatabase(options: DatabaseOptions): Sql {
  const target = parsePostgresDsn(options.dsn)
  const { user, password, database } = target
  const [firstHost] = target.hosts
  const identity = {
    // The driver uses these in texts of errors only.
    host: firstHost?.address ?? '',
    port: firstHost?.port ?? 0,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { pass: password }),
    ...(database !== undefined && { database }),
    ssl: false,
  }
  const choice = new ServerChoice({ target, readState: (open) => readState({ ...identity, socket: open }) })
  const sql = postgres({
    ...withSocket(identity, choice.open),
    max: options.maxConnections,
    connect_timeout: LOGIN_TIMEOUT_SECONDS,
    backoff: () => RECONNECT_DELAY_SECONDS,
    // Notices are ignored: by default the driver prints them on standard output, which is for the log.
    onnotice: () => undefined,
    connection: { ...settingsOf(options), ...target.settings },
  })
  return closeWith(sql, choice)
}

/** The settings of the server that each connection of a pool has. Those of the DSN override them. */
export function settingsOf(options: Omit<DatabaseOptions, 'dsn' | 'maxConnections'>): Record<string, string | number> {
  const timeoutMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS
  return {
    application_name: options.applicationName ?? 'centripush',
    statement_timeout: timeoutMs,
    // When the network between stalls, the locks of a transaction are free again soon.
    idle_in_transaction_session_timeout: timeoutMs,
    ...PLANS[options.plans ?? 'forValues'],
  }
}

/** Adds the option that opens connections. The driver has it, and its types do not. */
function withSocket<Options extends object>(options: Options, socket: OpenStream): Options {
  return Object.assign({ ...options }, { socket })
}

async function readState(options: object): Promise<ServerState> {
  const sql = postgres({ ...options, max: 1, connect_timeout: LOGIN_TIMEOUT_SECONDS, onnotice: () => undefined })
  try {
    const [row] = await sql<ServerState[]>`
      select current_setting('transaction_read_only') = 'on' as "isReadOnly", pg_is_in_recovery() as "isStandby"`
    return row ?? { isReadOnly: true, isStandby: true }
  } finally {
    await sql.end({ timeout: 0 })
  }
}

/** Makes `end` of a pool close the connections that are being opened, too. The driver would leave them open. */
function closeWith(sql: Sql, choice: ServerChoice): Sql {
  const end = sql.end
  sql.end = async (options) => {
    await end(options)
    choice.close()
  }
  return sql
}
