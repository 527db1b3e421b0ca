import { UserError } from '../config/user-error.ts'
import type { Logger } from '../observability/log.ts'
import { waitForStore } from '../observability/wait-for-store.ts'
import { readDatabaseError } from './database-error.ts'
import { explainDatabaseOutage } from './database-outage.ts'
import { checkSchema, migrate } from './migrate.ts'
import { type DatabaseOptions, openDatabase, type Sql } from './pool.ts'
import { explainPoolerError, refuseTransactionPooling } from './pooler.ts'

/** The options of startDatabase(): those of the pool, and these. */
export interface StartOptions extends DatabaseOptions {
  /** The option with the DSN, for errors. */
  option: string
  /** Brings the schema up to date; otherwise it is only checked. */
  migrates: boolean
  /** How long to wait for a database that is not reachable or still starting, in ms. */
  waitMs: number
  logger: Logger
  /** Ends the wait. */
  signal?: AbortSignal | undefined
}

/**
 * Opens a pool and prepares the database for a start. Close the pool with `sql.end()`.
 * @throws SchemaError if the schema does not fit this version, UserError if the database refuses or can't be reached,
 *   or if a pooler in front of it does not keep sessions
 */
export async function startDatabase(options: StartOptions): Promise<Sql> {
  const sql = openDatabase(options)
  try {
    await waitForDatabase(sql, options)
    await refuseTransactionPooling(options.dsn)
    await (options.migrates ? migrate(sql, options.logger) : checkSchema(sql))
    return sql
  } catch (error) {
    await sql.end({ timeout: 0 })
    throw explainDatabaseError(error, options.option)
  }
}

function waitForDatabase(sql: Sql, { waitMs, logger, signal }: StartOptions): Promise<unknown> {
  const mayPass = (error: unknown) => explainDatabaseOutage(error)?.mayPass === true
  return waitForStore({ name: 'postgresql', timeoutMs: waitMs, mayPass, logger, signal }, async () => {
    try {
      await sql.unsafe('select 1')
    } catch (error) {
      throw readDatabaseError(error) ?? error
    }
  })
}

/** An error of the database with its mend, as a UserError; others are not changed. @param option the one with the DSN */
export function explainDatabaseError(error: unknown, option: string): unknown {
  const known = readDatabaseError(error)
  if (!known) return error
  const mend = explainPoolerError(known) ?? explainDatabaseOutage(known)?.mend ?? 'see the log of PostgreSQL'
  const why = known.message.includes(known.code) ? known.message : `${known.message} (${known.code})`
  return new UserError(`database: can't be used: ${why}; ${mend} (${option})`, { cause: known })
}
