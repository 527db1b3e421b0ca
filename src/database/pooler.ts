// A pooler between centripush and PostgreSQL, such as pgbouncer or Supavisor. With session pooling each connection has
// a server connection of its own, and all works as without a pooler. With transaction pooling, LISTEN, prepared
// statements and settings would be lost or reach other clients, so the start is refused.
import { NO_ANSWER } from './answer-deadline.ts'
import { DatabaseError } from './database-error.ts'
import { hasLostCode } from './lost-connections.ts'
import { openDatabase, type Sql, settingsOf } from './pool.ts'
import { openConnection, SMALL_POOL } from './pooler-size.ts'

/** The `code` of the DatabaseError for a pooler in transaction mode. */
const TRANSACTION_POOLING = 'TRANSACTION_POOLING'
/** Each round finds transaction pooling unless other clients take a server connection at that moment. */
const ROUNDS = 5

/** The settings that a pooler has to pass on or ignore, as pgbouncer lists them. */
const STARTUP_PARAMETERS = [
  ...new Set([...Object.keys(settingsOf({ plans: 'forValues' })), ...Object.keys(settingsOf({ plans: 'once' }))]),
].filter((name) => name !== 'application_name')

const SESSION_POOLING =
  'use session pooling (pgbouncer: pool_mode = session and ignore_startup_parameters = ' +
  `${STARTUP_PARAMETERS.join(',')}; Supavisor: port 5432), or connect to PostgreSQL directly`

const LARGER_POOL =
  'enlarge its pool (pgbouncer: default_pool_size and max_client_conn), or lower database.postgresql.max_connections'

/** The mend for an error that only a pooler reports; undefined for other errors. */
export function explainPoolerError({ code, message }: DatabaseError): string | undefined {
  if (code === SMALL_POOL) return `the server is a pooler: ${LARGER_POOL}`
  const isPooler = code === TRANSACTION_POOLING || /unsupported startup parameter|statement pooling mode/i.test(message)
  return isPooler ? `the server is a pooler: ${SESSION_POOLING}` : undefined
}

/**
 * Refuses a pooler that gives the transactions of one connection to different server connections.
 * @throws DatabaseError for such a pooler, otherwise the error of the database
 */
export async function refuseTransactionPooling(dsn: string): Promise<void> {
  const sql = openDatabase({ dsn, maxConnections: 2, applicationName: 'centripush check' })
  try {
    if (await isTransactionPooled(sql)) {
      throw new DatabaseError('connections do not keep their sessions', TRANSACTION_POOLING, undefined)
    }
  } finally {
    await sql.end({ timeout: 0 })
  }
}

/**
 * While a transaction of one connection holds a server connection, a second one must neither have had the same before,
 * nor get another one than before.
 */
async function isTransactionPooled(sql: Sql): Promise<boolean> {
  const [watched, holding] = await openTwo(sql)
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const before = await readBackend(watched)
      if (!(await begins(holding))) return (await readBackend(watched)) !== undefined
      const held = await readBackend(holding)
      const after = await readBackend(watched)
      await holding.unsafe('commit')
      if (held === before || after !== before) return true
    }
    return false
  } finally {
    watched.release()
    holding.release()
  }
}

/** @throws DatabaseError if the server does not give two connections, as a pooler with a small pool does */
async function openTwo(sql: Sql) {
  try {
    return await Promise.all([openConnection(sql), openConnection(sql)])
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== NO_ANSWER) throw error
    throw new DatabaseError('the server gives no more connections', SMALL_POOL, undefined)
  }
}

/** Begins a transaction. False if the connection is lost by it: so does a pooler in statement mode. */
async function begins(sql: Pick<Sql, 'unsafe'>): Promise<boolean> {
  try {
    await sql.unsafe('begin')
    return true
  } catch (error) {
    if (hasLostCode(error)) return false
    throw error
  }
}

async function readBackend(sql: Pick<Sql, 'unsafe'>): Promise<number | undefined> {
  // The simple protocol: a named statement would itself fail behind a pooler.
  const [row] = await sql.unsafe<{ pid: number }[]>('select pg_backend_pid() as pid')
  return row?.pid
}

/**
 * The settings of a pool that are not in force, because a pooler ignores them. Statements are right without them, but
 * may be planned badly, and hang for longer.
 */
export async function findLostSettings(sql: Sql): Promise<string[]> {
  const { connection } = sql.options
  const rows = await sql<{ name: string; setting: string }[]>`
    select name, setting from pg_settings where name in ${sql(STARTUP_PARAMETERS)}`
  return rows.flatMap(({ name, setting }) => {
    const asked = connection[name]
    // A setting of the DSN may have a unit, so it is not compared.
    const isOwn = asked !== undefined && /^(\d+|off|force_\w+)$/.test(String(asked))
    return isOwn && String(asked) !== setting ? [`${name} = ${asked}`] : []
  })
}
